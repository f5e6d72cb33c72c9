import { defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf } from '../../engine/finding-of.ts';
import { type ServiceAnswer, serviceAnswers } from '../../facts/cloud-api.ts';
import type { Io } from '../../facts/io.ts';
import type { CloudSubject } from '../../facts/subject.ts';
import { serviceSilent, serviceSlow } from './codes.ts';

/** A version document is static; ten seconds of it say the host or its proxy is in trouble, not merely busy. */
const slowMs = 10_000;

const why = (failure: FactFailure): string =>
  failure.kind === 'api' || failure.kind === 'shape' ? failure.detail : failure.kind;

const needs = { services: serviceAnswers };

export default defineCheck<Io, CloudSubject, typeof needs>({
  id: 'cloud.services',
  per: 'cloud',
  title: 'The services of the catalog answer',
  needs,
  findings: [serviceSilent, serviceSlow],
  judge: ({ facts, now }) => {
    const answers = facts.services.value;
    const at = new Date(now).toISOString();
    const seen = (a: ServiceAnswer, excerpt: string): Evidence => ({
      source: { kind: 'derived', from: `GET ${a.url}` },
      at,
      excerpt,
    });
    const findings = answers.flatMap((a): Finding[] => {
      if (!a.answer.ok) {
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
