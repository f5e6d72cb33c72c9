import type { Flow } from '../../nodes/parse/flows.ts';
import { sameMac } from '../addresses.ts';
import type { RuleRef } from '../secgroup/model.ts';
import {
  type Enforcement,
  type ExtraRule,
  type MissingRule,
  type NotEnforced,
  type WantedFirewall,
  wantedRules,
} from './enforcement.ts';
import { missingBaseFlows } from './native/base.ts';
import { BASE_EGRESS, goesTo, isOfPort, letThrough, TRANSIENT } from './native/flows.ts';
import { explains, lookFor, missingFlow } from './native/rules.ts';

export interface NativeNode {
  /** `ovs-ofctl dump-flows br-int`. */
  readonly flows: readonly Flow[];
  /** OpenFlow number of the port's device; found by the port's MAC when left out. */
  readonly ofport?: number;
}

/**
 * Compares the flows that the OVS agent's native firewall put into br-int for a port with what the API says. What
 * neutron/agent/linux/openvswitch_firewall makes of a rule may be many flows (port ranges become bit masks, remote
 * groups become conjunctions), so the flows are read for what they let through, and that is compared.
 */
export function compareNative(wanted: WantedFirewall, node: NativeNode): Enforcement {
  const ofport = node.ofport ?? ofportByMac(node.flows, wanted.security.mac);
  const entry = node.flows.find((flow) => flow.table === TRANSIENT && flow.match.in_port === String(ofport));
  if (ofport === undefined || !entry) {
    return wanted.security.enabled
      ? { ...NOTHING, chainsMissing: [`br-int table ${TRANSIENT}: no flow for the port of ${wanted.security.mac}`] }
      : NOTHING;
  }
  const filtered = goesTo(entry, BASE_EGRESS);
  if (!wanted.security.enabled) {
    return filtered ? { ...NOTHING, extra: [extraFlow(entry, 'drops')] } : NOTHING;
  }
  const notEnforced: NotEnforced[] = [];
  if (!filtered) notEnforced.push({ by: 'unfiltered', where: `br-int table ${TRANSIENT}`, raw: entry.raw });

  const mine = node.flows.filter((flow) => isOfPort(flow, ofport));
  const missing: MissingRule[] = [];
  const extra: ExtraRule[] = [];
  const found: RuleRef[] = [];
  const undecided: RuleRef[] = [];
  for (const direction of ['ingress', 'egress'] as const) {
    const refs = wantedRules(wanted).filter(({ rule }) => rule.direction === direction);
    const lets = letThrough(mine, direction, wanted.family, ofport);
    for (const of of refs) {
      const outcome = lookFor(of, lets, mine, node.flows, wanted, ofport);
      if (outcome.kind === 'found') found.push(of);
      else if (outcome.kind === 'undecided') undecided.push(of);
      else missing.push(missingFlow(of, outcome.expected, lets));
    }
    for (const flow of lets) {
      if (!refs.some((of) => explains(of.rule, flow, wanted.family))) extra.push(extraFlow(flow.flow, 'lets through'));
    }
  }
  return {
    missing,
    extra,
    chainsMissing: [],
    notEnforced,
    baseMissing: missingBaseFlows(mine, node.flows, wanted, ofport),
    found,
    undecided,
  };
}

const NOTHING: Enforcement = {
  missing: [],
  extra: [],
  chainsMissing: [],
  notEnforced: [],
  baseMissing: [],
  found: [],
  undecided: [],
};

/** The OpenFlow port whose flows carry this MAC as the sender that port security allows. */
export function ofportByMac(flows: readonly Flow[], mac: string): number | undefined {
  for (const { table, match } of flows) {
    if (table === BASE_EGRESS && match.in_port && match.dl_src && sameMac(match.dl_src, mac))
      return Number(match.in_port);
  }
  return undefined;
}

const extraFlow = (flow: Flow, effect: ExtraRule['effect']): ExtraRule => ({
  where: `br-int table ${flow.table}`,
  raw: flow.raw,
  packets: flow.packets,
  effect,
});
