import type { Flow } from '../../../nodes/parse/flows.ts';
import { familyOf, linkLocal, sameCidr, sameMac } from '../../addresses.ts';
import type { WantedFirewall } from '../enforcement.ts';
import { BASE_EGRESS, BASE_INGRESS, goesTo, protocolOfFlow, RULES, TRANSIENT } from './flows.ts';
import { FLOW_WORDS } from './rules.ts';

/** Flows that every port has, whatever its groups say, and this one has not. */
export function missingBaseFlows(
  mine: readonly Flow[],
  flows: readonly Flow[],
  wanted: WantedFirewall,
  ofport: number,
): readonly string[] {
  const { security, family } = wanted;
  const reg = `reg5=0x${ofport.toString(16)}`;
  const some = (table: number, test: (flow: Flow) => boolean): boolean =>
    mine.some((flow) => flow.table === table && test(flow));
  const about = (flow: Flow, protocol?: number): boolean => {
    const read = protocolOfFlow(flow);
    return read?.family === family && read.protocol === protocol;
  };
  const needs: (readonly [string, boolean])[] = [];

  const delivered = flows.some(
    ({ table, match, actions }) =>
      table === TRANSIENT &&
      match.dl_dst !== undefined &&
      sameMac(match.dl_dst, security.mac) &&
      new RegExp(`(?:resubmit\\(,|goto_table:)${BASE_INGRESS}\\b`).test(actions),
  );
  needs.push([`table=${TRANSIENT},dl_dst=${security.mac} actions=…,resubmit(,${BASE_INGRESS})`, delivered]);

  const ip = family === 4 ? 'ip' : 'ipv6';
  const source = family === 4 ? 'nw_src' : 'ipv6_src';
  for (const pair of pairsOf(wanted)) {
    const allowed = some(
      BASE_EGRESS,
      (flow) =>
        about(flow) &&
        sameMac(flow.match.dl_src ?? '', pair.mac) &&
        sameCidr(flow.match[source] ?? '0.0.0.0/0', pair.ip) &&
        flow.actions.includes(`ct(table=${RULES.egress}`),
    );
    const match = `${ip},${reg},in_port=${ofport},dl_src=${pair.mac},${source}=${pair.ip}`;
    needs.push([`table=${BASE_EGRESS},${match} actions=ct(table=${RULES.egress},…)`, allowed]);
    if (family === 6) continue;
    const arp = some(
      BASE_EGRESS,
      ({ match: { arp: word, arp_spa: spa, dl_src: sender } }) =>
        word === '' && sameCidr(spa ?? '0.0.0.0/0', pair.ip) && sameMac(sender ?? '', pair.mac),
    );
    needs.push([`table=${BASE_EGRESS},arp,${reg},dl_src=${pair.mac},arp_spa=${pair.ip} actions=resubmit(,94)`, arp]);
  }

  const [client, server] = family === 4 ? ['68', '67'] : ['546', '547'];
  const udp = FLOW_WORDS[family][17];
  const isDhcp = (flow: Flow, from: string | undefined, to: string | undefined): boolean =>
    about(flow, 17) && flow.match.tp_src === from && flow.match.tp_dst === to && !goesTo(flow, 93);
  const asks = some(BASE_EGRESS, (flow) => isDhcp(flow, client, server));
  // Without an address of the family there is nothing to ask DHCPv6 for but the link-local one.
  if (family === 4 || pairsOf(wanted).length > 0) {
    needs.push([`table=${BASE_EGRESS},${udp},${reg},tp_src=${client},tp_dst=${server} actions=resubmit(,73)`, asks]);
  }
  const answers = some(BASE_INGRESS, (flow) => isDhcp(flow, server, client));
  needs.push([
    `table=${BASE_INGRESS},${udp},${reg},tp_src=${server},tp_dst=${client} actions=output:${ofport}`,
    answers,
  ]);

  for (const direction of ['ingress', 'egress'] as const) {
    const replies = some(
      RULES[direction],
      ({ match, actions }) =>
        /\+est/.test(match.ct_state ?? '') && /\+rpl/.test(match.ct_state ?? '') && actions !== 'drop',
    );
    needs.push([`table=${RULES[direction]},ct_state=+est-rel+rpl,${reg} actions=…`, replies]);
  }
  return needs.filter(([, there]) => !there).map(([text]) => text);
}

function pairsOf({ security, family }: WantedFirewall): readonly { readonly mac: string; readonly ip: string }[] {
  const pairs = [
    ...security.fixedIps.map((ip) => ({ ip, mac: security.mac })),
    ...security.allowedAddressPairs.map(({ ip, mac }) => ({ ip, mac: mac ?? security.mac })),
  ].filter(({ ip }) => familyOf(ip) === family);
  const local = family === 6 ? linkLocal(security.mac) : undefined;
  return local ? [...pairs, { ip: local, mac: security.mac }] : pairs;
}
