import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import type { Flow } from '../../nodes/parse/flows.ts';
import { type Oddity, shortUuid } from '../../path/ovn/compare-walks.ts';
import { concerns, suspectsAmong } from '../../path/ovn/suspects.ts';
import { showing, source } from '../io.ts';
import { pathRules } from '../rules.ts';
import type { PortSubject } from '../subject.ts';
import { chassisView } from './chassis.ts';
import { ownersOf } from './forecasts.ts';

/** A flow of an integration bridge that no row of the southbound database explains. */
export interface OvnStranger {
  readonly host: string;
  readonly bridge: string;
  readonly flow: Flow;
  readonly why: Oddity;
  readonly evidence: readonly [Evidence, ...Evidence[]];
}

/** Most cookies that are asked about. */
const mostSuspects = 12;

/** Flows with a cookie that ends packets which this port could send or get, and that is no row's. */
export const ovnStrangers = source<PortSubject, readonly OvnStranger[]>(
  'port.ovn.strangers',
  (subject) => subject.id,
  async (subject, facts) => {
    const rules = await facts.get(pathRules, subject);
    if (!rules.ok) return rules;
    const { mac_address: mac, fixed_ips } = subject.port.value;
    const own = { mac, addresses: fixed_ips.map((f) => f.ip_address) };
    const suspects = (
      await Promise.all(
        [...rules.value.value].map(async ([host, { rules: found, evidence }]) => {
          const view = await facts.get(chassisView, host);
          const bridge = view.ok ? view.value.value.integrationBridge : undefined;
          const read = bridge === undefined ? undefined : evidence.get(bridge);
          const flows = (found.bridges ?? []).find((b) => b.name === bridge)?.flows ?? [];
          return bridge === undefined || read === undefined
            ? []
            : suspectsAmong(flows)
                .filter((flow) => concerns(flow, own))
                .map((flow) => ({ host, bridge, flow, read }));
        }),
      )
    ).flat();
    const asked = suspects.slice(0, mostSuspects);
    const { owners, evidence } = await ownersOf(
      facts,
      asked.flatMap(({ flow }) => shortUuid(flow.cookie) ?? []),
    );
    const strangers = asked.flatMap(({ host, bridge, flow, read }): OvnStranger[] => {
      const short = shortUuid(flow.cookie);
      const rows = short === undefined ? [] : owners.get(short);
      if (rows === undefined) return [];
      const [row] = rows;
      if (row !== undefined && (row.table !== 'Logical_Flow' || row.priority === flow.priority)) return [];
      const found =
        row === undefined ? `no row ${short ?? flow.cookie}` : `row ${short ?? ''}: priority ${row.priority ?? '?'}`;
      return [
        {
          host,
          bridge,
          flow,
          why: row === undefined ? 'no-row' : 'not-as-row',
          evidence: [showing(read, flow.raw), ...evidence.slice(0, 1).map((e) => showing(e, found))],
        },
      ];
    });
    return observed(strangers, ...rules.value.evidence.slice(0, 2));
  },
);
