import type { Evidence } from './evidence.ts';
import type { Confidence, Finding, FindingSpec, Remedy, RemedyStep, Scope } from './finding.ts';

/** What a check adds to the fixed part of a code. */
export interface Particulars {
  readonly summary: string;
  readonly subject: string;
  readonly scope: Scope;
  readonly evidence: readonly [Evidence, ...Evidence[]];
  readonly remedies?: readonly Remedy[];
  readonly confidence?: Confidence;
  readonly verify: string;
  /** A lesser (or graver) severity than the code's own, where circumstances decide. */
  readonly severity?: Finding['severity'];
}

export const findingOf = (spec: FindingSpec, p: Particulars): Finding => ({
  code: spec.code,
  severity: p.severity ?? spec.severity,
  nature: spec.nature,
  confidence: p.confidence ?? 'certain',
  summary: p.summary,
  subject: p.subject,
  scope: p.scope,
  evidence: p.evidence,
  remedies: p.remedies ?? [],
  verify: p.verify,
});

export const onHost = (host: string, argv: readonly [string, ...string[]], note?: string): RemedyStep => ({
  where: { kind: 'host', host },
  argv,
  ...(note === undefined ? {} : { note }),
});

/** Restarts a service of OpenStack, by its upstream binary name; how that is typed depends on the layout of the host. */
export const restartOf = (host: string, service: string, note?: string): RemedyStep => ({
  ...onHost(host, ['systemctl', 'restart', service], note),
  restarts: service,
});

export const byOperator = (argv: readonly [string, ...string[]], note?: string): RemedyStep => ({
  where: { kind: 'operator' },
  argv,
  ...(note === undefined ? {} : { note }),
});

export const advice = (note: string, host?: string): RemedyStep => ({
  where: host === undefined ? { kind: 'operator' } : { kind: 'host', host },
  note,
});
