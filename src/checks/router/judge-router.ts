import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { findingOf, restartOf } from '../../engine/finding-of.ts';
import { showing } from '../../facts/io.ts';
import type { RouterOnHost } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { agentName, portScope, verifyWith } from '../scope.ts';

export const l3Binary = 'neutron-l3-agent';

/** A finding about a router, with the relations that all of them share. */
export function routerFinding(
  subject: PortSubject,
  router: RouterOnHost,
  spec: FindingSpec,
  what: {
    readonly summary: string;
    readonly subject?: string;
    readonly evidence: Evidence;
    readonly line: string;
    readonly remedy?: Remedy;
    readonly severity?: Finding['severity'];
  },
): Finding {
  const { host } = router;
  const hosts = host === undefined ? [] : [host];
  return findingOf(spec, {
    summary: what.summary,
    subject: what.subject ?? `router ${router.serving.router.name}`,
    scope: portScope(subject, {
      host: hosts,
      router: [router.serving.router.id],
      agent: hosts.map((h) => agentName(l3Binary, h)),
    }),
    evidence: [showing(what.evidence, what.line)],
    remedies: what.remedy === undefined ? [] : [what.remedy],
    verify: verifyWith('router', subject),
    ...(what.severity === undefined ? {} : { severity: what.severity }),
  });
}

export const restartL3 = (host: string): Remedy => ({
  title: 'let the L3 agent set the router up again',
  risk: 'brief-interruption',
  sufficient: true,
  steps: [restartOf(host, l3Binary)],
});

/** Whether anything is to be looked for in the node: a router that is down or unplaced has no namespace by design. */
export const shouldStand = (router: RouterOnHost): boolean =>
  router.host !== undefined && router.serving.router.admin_state_up;

/** Routers whose inside can be judged: those that should stand, but for those whose namespace is known to be missing. */
export const standing = (routers: readonly RouterOnHost[]): readonly RouterOnHost[] =>
  routers.filter((r) => shouldStand(r) && (r.exists?.ok !== true || r.exists.value.value));

export const noneStands = 'no router of its network stands on a host';
