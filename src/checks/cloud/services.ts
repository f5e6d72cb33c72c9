import { defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import { failed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { type ServiceAnswer, serviceAnswers } from '../../facts/cloud-api.ts';
import { type Controllers, controllerServices, stoppedOf } from '../../facts/controllers.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import type { CloudSubject } from '../../facts/subject.ts';
import type { ServiceName } from '../../nodes/layouts/layout.ts';
import { serviceSilent, serviceSlow } from './codes.ts';

/** A version document is static; ten seconds of it say the host or its proxy is in trouble, not merely busy. */
const slowMs = 10_000;

const why = (failure: FactFailure): string =>
  failure.kind === 'api' || failure.kind === 'shape' ? failure.detail : failure.kind;

/** The control plane on its nodes, where an API is silent. */
const silentSide = source<CloudSubject, Controllers>(
  'cloud.silent-side',
  () => '',
  async (subject, facts) => {
    const answers = await facts.get(serviceAnswers, subject);
    if (!answers.ok) return answers;
    return answers.value.value.every((a) => a.answer.ok)
      ? failed({ kind: 'unsupported', because: 'every service answers' })
      : facts.get(controllerServices, subject);
  },
);

/** Services whose process is looked for on the controllers when their API is silent. */
const behind: Readonly<Record<string, ServiceName>> = { network: 'neutron-server', compute: 'nova-api' };

const needs = { services: serviceAnswers };
const optional = { controllers: silentSide };

export default defineCheck<Io, CloudSubject, typeof needs, typeof optional>({
  id: 'cloud.services',
  per: 'cloud',
  title: 'The services of the catalog answer',
  needs,
  optional,
  findings: [serviceSilent, serviceSlow],
  judge: ({ facts, maybe, now }) => {
    const controllers = maybe.controllers.ok ? maybe.controllers.value.value : undefined;
    const answers = facts.services.value;
    const at = new Date(now).toISOString();
    const seen = (a: ServiceAnswer, excerpt: string): Evidence => ({
      source: { kind: 'derived', from: `GET ${a.url}` },
      at,
      excerpt,
    });
    const findings = answers.flatMap((a): Finding[] => {
      if (!a.answer.ok) {
        const service = behind[a.service];
        const down = controllers === undefined || service === undefined ? [] : stoppedOf(controllers, service);
        const [one] = down;
        if (one !== undefined) {
          return [
            findingOf(serviceSilent, {
              summary: `${a.service} does not answer at ${a.url}: ${one.state.unit} on ${down.map((d) => d.host).join(', ')} is ${one.state.state}`,
              subject: `service ${a.service}`,
              scope: { host: down.map((d) => d.host) },
              evidence: [
                seen(a, why(a.answer.failure)),
                ...down.map((d) => showing(d.evidence, `${d.state.unit}: ${d.state.detail}`)),
              ],
              remedies: [
                {
                  title: 'start it',
                  risk: 'none',
                  sufficient: true,
                  steps: down.map((d) => onHost(d.host, d.restart)),
                },
              ],
              verify: 'ostk-doctor agents',
            }),
          ];
        }
        return [
          findingOf(serviceSilent, {
            summary: `${a.service} does not answer at ${a.url}: ${why(a.answer.failure)}`,
            subject: `service ${a.service}`,
            scope: {},
            evidence: [seen(a, why(a.answer.failure))],
            remedies: [
              {
                title: 'find out why the endpoint is dead',
                risk: 'none',
                sufficient: false,
                steps: [
                  advice(`on the host behind ${a.url}: is the service running, is its proxy, does its port answer`),
                ],
              },
            ],
            verify: 'ostk-doctor agents',
          }),
        ];
      }
      if (a.answer.ms <= slowMs) return [];
      return [
        findingOf(serviceSlow, {
          summary: `${a.service} took ${Math.round(a.answer.ms)} ms for a static document`,
          subject: `service ${a.service}`,
          scope: {},
          evidence: [seen(a, `${Math.round(a.answer.ms)} ms`)],
          verify: 'ostk-doctor agents',
        }),
      ];
    });
    const slowest = Math.max(0, ...answers.map((a) => (a.answer.ok ? a.answer.ms : 0)));
    const names = answers.map((a) => a.service).join(', ');
    const release = answers.flatMap((a) => (a.answer.ok ? (a.answer.version.release ?? []) : []))[0];
    const note = `${names} answer (slowest ${Math.round(slowest)} ms${release === undefined ? '' : `; ${release}`})`;
    return judged(findings, note, facts.services.evidence);
  },
});
