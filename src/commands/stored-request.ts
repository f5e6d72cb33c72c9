import { array, boolean, type infer as Infer, looseObject, number, object, enum as oneOf, string } from 'zod';
import type { Bundle } from '../bundle/open.ts';
import { UserError } from '../engine/error.ts';
import type { TraceOption, WishOption } from '../facts/io.ts';
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
    trace: object({
      other: oneOf(['router', 'dhcp', 'gateway', 'metadata', 'outside', 'peer']),
      address: string().optional(),
      reversed: boolean(),
      probe: object({ protocol: oneOf(['icmp', 'tcp', 'udp', 'arp', 'dhcp', 'metadata']), port: number().optional() }),
      everyWay: boolean().default(false),
      inject: boolean().default(false),
      whole: boolean().default(false),
      count: number().int().min(1).max(100),
      size: number().int().min(28).max(65_535).optional(),
    }).optional(),
    wish: object({
      flavor: string().optional(),
      image: string().optional(),
      networks: array(string()).default([]),
      zone: string().optional(),
      hints: array(string()).default([]),
      host: string().optional(),
      count: number().int().min(1).max(1000),
    }).optional(),
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
  const { probe, from, symptom, to, since, probePackets, failOn, trace, wish } = options;
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
      ...(trace === undefined ? {} : { trace: traceOption(trace) }),
      ...(wish === undefined ? {} : { wish: wishOption(wish) }),
    },
  };
}

type Options = Infer<typeof schema>['options'];

const wishOption = ({ flavor, image, zone, host, ...rest }: NonNullable<Options['wish']>): WishOption => ({
  ...rest,
  ...(flavor === undefined ? {} : { flavor }),
  ...(image === undefined ? {} : { image }),
  ...(zone === undefined ? {} : { zone }),
  ...(host === undefined ? {} : { host }),
});

/** Zod's optional keys may be undefined; ours are absent then. */
const traceOption = ({ probe, size, address, ...rest }: NonNullable<Options['trace']>): TraceOption => ({
  ...rest,
  probe: { protocol: probe.protocol, ...(probe.port === undefined ? {} : { port: probe.port }) },
  ...(size === undefined ? {} : { size }),
  ...(address === undefined ? {} : { address }),
});
