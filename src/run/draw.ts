import type { FactStore } from '../engine/fact.ts';
import type { DrawnHop, DrawnPath, StepReport } from '../engine/report.ts';
import type { Io } from '../facts/io.ts';
import { placement } from '../facts/placement.ts';
import { floatingIps, routerHost, servingRouters } from '../facts/port-api.ts';
import type { PortSubject } from '../facts/subject.ts';

/** The worst that was said about a device, a router or a host. */
function stateOf(
  steps: readonly StepReport[],
  names: readonly (string | undefined)[],
  seen: boolean,
): DrawnHop['state'] {
  let state: DrawnHop['state'] = seen ? 'ok' : 'unseen';
  const wanted = names.filter((n) => n !== undefined && n !== '');
  for (const check of steps.flatMap((s) => s.checks)) {
    if (check.outcome.status !== 'problem') continue;
    for (const finding of check.outcome.findings) {
      if (
        finding.severity === 'error' &&
        finding.nature === 'cause' &&
        wanted.some(
          (n) =>
            n !== undefined &&
            (n.startsWith('@')
              ? /^(rule|firewall) /.test(finding.subject) && finding.subject.endsWith(n)
              : finding.subject.includes(n)),
        )
      ) {
        state = 'problem';
      }
    }
  }
  return state;
}

const unreachable = (steps: readonly StepReport[], host: string | undefined): boolean =>
  steps.some((s) =>
    s.checks.some(
      (c) =>
        c.outcome.status === 'blocked' &&
        c.outcome.failures.some((f) => 'host' in f && f.host === host && f.kind === 'unreachable'),
    ),
  );

/** The path of every port, from the guest to the outside, with what was found at each hop. */
export async function drawPaths(
  ports: readonly PortSubject[],
  facts: FactStore<Io>,
  steps: readonly StepReport[],
): Promise<DrawnPath[]> {
  const drawn: DrawnPath[] = [];
  for (const port of ports) {
    const place = await facts.get(placement, port);
    const [address] = port.port.value.fixed_ips;
    const hops: DrawnHop[] = [
      { label: port.instance?.name ?? 'port', state: stateOf(steps, [`domain `, `guest of`], true), join: 'start' },
    ];
    if (place.ok) {
      const { backend, bound, segment, host } = place.value.value;
      const blocked = unreachable(steps, host);
      for (const hop of backend.hops(bound, segment, host)) {
        // A rule made by hand has no device of its own: it is drawn where the port meets its host.
        const state = blocked
          ? 'blocked'
          : stateOf(steps, [hop.device, ...(hop.kind === 'tap' ? [`@${host}`] : [])], true);
        hops.push({ label: hop.label, host, state, join: 'local' });
      }
      const routers = await facts.get(servingRouters, port);
      const [router] = routers.ok ? routers.value.value : [];
      if (router !== undefined) {
        const at = routerHost(router);
        const crossing = at !== undefined && at !== host;
        const link = crossing ? [`${host} ⇄ ${at}`, `${at} ⇄ ${host}`] : [];
        const state = unreachable(steps, at)
          ? 'blocked'
          : stateOf(steps, [router.router.name, router.router.id.slice(0, 11), router.router.id, ...link], true);
        hops.push({
          label: router.router.name,
          ...(at === undefined ? {} : { host: at }),
          state,
          join: crossing ? 'underlay' : 'local',
        });
        const floating = await facts.get(floatingIps, port);
        const [outside] = floating.ok ? floating.value.value : [];
        if (router.router.external_gateway_info) {
          const label = outside?.floating_ip_address ?? 'outside';
          hops.push({
            label,
            state: stateOf(steps, [outside?.floating_ip_address], outside !== undefined),
            join: 'local',
          });
        }
      }
    }
    drawn.push({
      title: address?.ip_address ?? port.id.slice(0, 8),
      ...(place.ok ? { backend: place.value.value.backend.name } : {}),
      hops,
    });
  }
  return drawn;
}
