import { array, boolean, looseObject, enum as oneOf, string } from 'zod';
import type { Bundle } from '../bundle/open.ts';
import { UserError } from '../engine/error.ts';
import type { WalkCommand } from './walk.ts';

const schema = looseObject({
  verb: string(),
  target: string().optional(),
  steps: array(string()).optional(),
  allowPort: boolean(),
  options: looseObject({
    probe: array(string()).optional(),
    from: string().optional(),
    symptom: string().optional(),
    to: string().optional(),
    since: string().optional(),
    probePackets: boolean().optional(),
    failOn: oneOf(['error', 'warning', 'info', 'never']).optional(),
  }),
});

/** What was asked when the bundle was recorded. */
export function storedRequest(bundle: Bundle): WalkCommand {
  const parsed = schema.safeParse(bundle.manifest.request);
  if (!parsed.success) {
    throw new UserError('This bundle does not say what was asked.', {
      where: bundle.file,
      hint: 'record it again with this version',
    });
  }
  const { verb, target, steps, allowPort, options } = parsed.data;
  const { probe, from, symptom, to, since, probePackets, failOn } = options;
  return {
    verb,
    target,
    steps,
    allowPort,
    options: {
      ...(probe === undefined ? {} : { probe }),
      ...(from === undefined ? {} : { from }),
      ...(symptom === undefined ? {} : { symptom }),
      ...(to === undefined ? {} : { to }),
      ...(since === undefined ? {} : { since }),
      ...(probePackets === undefined ? {} : { probePackets }),
      ...(failOn === undefined ? {} : { failOn }),
    },
  };
}
