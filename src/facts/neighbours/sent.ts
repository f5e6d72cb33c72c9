import type { MatrixCell, MatrixRow, MatrixTarget } from '../../engine/matrix.ts';
import { groupFromApi, portSecurityFromApi } from '../../path/secgroup/from-api.ts';
import type { Verdict } from '../../path/secgroup/model.ts';
import { verdictOf } from '../../path/secgroup/verdict.ts';
import type { Resolution } from '../neighbour.ts';
import type { PingRun } from '../ping.ts';
import type { ApiSecurityGroup } from '../schemas/network.ts';
import { echoInto } from '../silence.ts';
import { computeHostOf, type PortSubject, shortId } from '../subject.ts';
import { cellOf, letsIn, notAsked } from './cells.ts';
import { type From, sameFamily } from './places.ts';

/** What the pings that were sent anyway came to, and what says whether they had to be answered. */
export interface Sent {
  /** To the instance. */
  readonly inside: readonly PingRun[];
  /** To gateways, the router's own outside and floating addresses. */
  readonly outside: readonly PingRun[];
  readonly groups: readonly ApiSecurityGroup[] | undefined;
  readonly members: ReadonlyMap<string, readonly string[]> | undefined;
  readonly resolved: readonly Resolution[];
}

/** The rows for which nothing more is sent: the instance itself, and what is beyond its router. */
export function sentRows(
  subject: PortSubject,
  places: readonly From[],
  { inside, outside, groups, members, resolved }: Sent,
): { readonly instance: MatrixRow; readonly beyond: readonly MatrixRow[] } {
  const own = subject.port.value;
  const [first] = own.fixed_ips;
  const arpOf = (run: PingRun): Resolution | undefined =>
    resolved.find((r) => r.run.from === run.from && r.run.host === run.host && r.run.to === run.to);
  const expected = (to: string, from: string | undefined): Verdict | undefined =>
    groups === undefined
      ? undefined
      : verdictOf(echoInto(to, from), portSecurityFromApi(own), groups.map(groupFromApi), (id) => members?.get(id));
  /** Silence that the security groups ask for is no answer at all, unless not even ARP is answered. */
  const ownCell = (run: PingRun, from: string | undefined): MatrixCell => {
    if (run.ping.received > 0) return cellOf(run);
    const arp = arpOf(run);
    if (arp?.arp === 'failed') return { state: 'lost', sent: run.ping.sent, received: 0, evidence: arp.evidence };
    const verdict = expected(run.to, from);
    if (verdict !== undefined && letsIn(verdict)) return cellOf(run);
    if (arp?.arp === 'answered')
      return { state: 'ok', sent: run.ping.sent, received: 0, by: 'ARP', evidence: arp.evidence };
    return notAsked('its security groups let no ping in');
  };
  const gatewayCell = (run: PingRun): MatrixCell => {
    const arp = arpOf(run);
    return run.ping.received === 0 && arp?.arp === 'answered'
      ? { state: 'ok', sent: run.ping.sent, received: 0, by: 'ARP', evidence: arp.evidence }
      : cellOf(run);
  };
  const floatingCell = (run: PingRun): MatrixCell => {
    if (expected(first?.ip_address ?? '', undefined)?.kind === 'allowed') return gatewayCell(run);
    return run.ping.received > 0 ? cellOf(run) : notAsked('its security groups let not every ping in');
  };
  const at = (run: PingRun, { sender }: From): boolean =>
    run.from === sender.from && run.host === sender.host && run.netns === sender.netns;
  const cellsOf = (
    runs: readonly PingRun[],
    to: string,
    make: (run: PingRun, from: From) => MatrixCell,
    otherwise: (from: From) => string,
  ): MatrixCell[] =>
    places.map((from) => {
      const run = runs.find((r) => r.to === to && at(r, from));
      return run === undefined ? notAsked(otherwise(from)) : make(run, from);
    });

  const address = inside.find((r) => r.ping.received < r.ping.sent)?.to ?? inside[0]?.to ?? first?.ip_address ?? '';
  const name = subject.instance?.name ?? `port ${shortId(subject.id)}`;
  const host = computeHostOf(subject);
  const instance: MatrixRow = {
    kind: 'this-instance',
    name,
    address,
    ...(host === undefined ? {} : { host }),
    cells: cellsOf(
      inside,
      address,
      (run, from) => ownCell(run, sameFamily(from.addressesIn(own.network_id), run.to)),
      (from) => (from.source.kind === 'operator' ? 'not reached from here without a router' : 'it could not be sent'),
    ),
  };
  const outsideRows = (
    kind: MatrixTarget,
    what: PingRun['what'],
    label: string,
    make: (run: PingRun) => MatrixCell = gatewayCell,
  ): MatrixRow[] =>
    [...new Set(outside.filter((r) => r.what === what).map((r) => r.to))].map((to) => ({
      kind,
      name: label,
      address: to,
      cells: cellsOf(outside, to, make, () => 'not asked from there'),
    }));
  return {
    instance,
    beyond: [
      ...outsideRows('outside', 'gateway', 'external gateway'),
      ...outsideRows('router-outside', 'router-outside', "router's outside"),
      ...outsideRows('floating-ip', 'floating-ip', name, floatingCell),
    ],
  };
}
