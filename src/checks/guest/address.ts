import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import { hostOvs } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onComputeHost, placement } from '../../facts/placement.ts';
import { allAnswered, type HostCounters, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName } from '../../path/addresses.ts';
import { remedyAddressPair } from '../../path/secgroup/remedies.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { spoofs } from './codes.ts';

const needs = { placement };
const optional = { look: secondLook, ovs: onComputeHost(hostOvs) };

interface SpoofRule {
  readonly where: string;
  readonly raw: string;
  readonly packets: number;
  /** What the observation was read from: `iptables`, `ebtables` or the bridge. */
  readonly place: string;
  /** One port's own rule; otherwise it counts for all ports of the host. */
  readonly own: boolean;
}

/**
 * The rules of a port that take what it may not send: Neutron's spoofing chains (iptables_firewall.py), its MAC and ARP
 * chains (linuxbridge arp_protect.py), the last flow of table 71 and the ARP tables of br-int (openvswitch_firewall, br_int.py).
 */
function spoofRules(counters: HostCounters, portId: string, ofport: number | undefined): SpoofRule[] {
  const tap = deviceName('tap', portId);
  const found: SpoofRule[] = [];
  for (const { dump, netns } of counters.rules.rules.iptables ?? []) {
    if (netns !== undefined) continue;
    for (const chain of dump.tables.flatMap((t) => t.chains)) {
      if (!chain.name.endsWith(`-s${portId.slice(0, 10)}`)) continue;
      for (const rule of chain.rules) {
        if (rule.target === 'DROP')
          found.push({
            where: `${rule.table} ${rule.chain} #${rule.index}`,
            raw: rule.raw,
            packets: rule.packets,
            place: 'iptables',
            own: true,
          });
      }
    }
  }
  for (const chain of counters.rules.rules.ebtables ?? []) {
    if (chain.name !== `neutronMAC-${tap}` && chain.name !== `neutronARP-${tap}`) continue;
    for (const rule of chain.rules) {
      if (rule.target === 'DROP')
        found.push({
          where: `ebtables ${rule.table} ${rule.chain}`,
          raw: rule.raw,
          packets: rule.packets,
          place: 'ebtables',
          own: true,
        });
    }
  }
  for (const bridge of counters.rules.rules.bridges ?? []) {
    for (const flow of bridge.flows) {
      const own =
        ofport !== undefined && flow.table === 71 && flow.match.in_port === String(ofport) && flow.priority <= 10;
      const shared = (flow.table === 24 || flow.table === 25) && flow.actions === 'drop';
      if (own || shared)
        found.push({
          where: `${bridge.name} table ${flow.table}`,
          raw: flow.raw,
          packets: flow.packets,
          place: bridge.name,
          own,
        });
    }
  }
  return found;
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'guest.address',
  per: 'port',
  title: 'The instance sends with the addresses of its port',
  needs,
  optional,
  findings: [spoofs],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.look.ok) {
      const { error } = maybe.look;
      return error.kind === 'unsupported'
        ? skipped(error.because === allAnswered ? allAnswered : error.because)
        : blocked(error);
    }
    const { host } = facts.placement.value;
    const look = maybe.look.value.value;
    const [before, after] = [look.before.get(host), look.after.get(host)];
    if (before === undefined || after === undefined) return skipped(`the counters of ${host} could not be read`);
    const tap = deviceName('tap', subject.id);
    const ports = maybe.ovs.ok
      ? maybe.ovs.value.value.bridges.flatMap((b) => b.ports.flatMap((p) => p.interfaces))
      : [];
    const ofport =
      ports.find((i) => i.name === tap)?.ofport ?? ports.find((i) => i.name === deviceName('qvo', subject.id))?.ofport;
    const was = new Map(spoofRules(before, subject.id, ofport).map((r) => [`${r.where} ${r.raw}`, r.packets]));
    const rises = spoofRules(after, subject.id, ofport)
      .map((rule) => ({ rule, rose: rule.packets - (was.get(`${rule.where} ${rule.raw}`) ?? rule.packets) }))
      .filter((r) => r.rose > 0)
      .sort((a, b) => Number(b.rule.own) - Number(a.rule.own) || b.rose - a.rose);
    const [first] = rises;
    const [guarding] = spoofRules(after, subject.id, ofport);
    const read = guarding === undefined ? undefined : after.rules.evidence.get(guarding.place);
    const still =
      guarding === undefined || read === undefined
        ? []
        : [showing(read, `${guarding.where}  ${guarding.raw}  rose by 0`)];
    const evidence = first === undefined ? undefined : after.rules.evidence.get(first.rule.place);
    if (first === undefined || evidence === undefined)
      return judged([], 'anti-spoofing dropped nothing while probing', still, ['spoofed addresses']);
    const total = rises.reduce((sum, r) => sum + r.rose, 0);
    return judged(
      [
        findingOf(spoofs, {
          summary: `${ownerName(subject)} sends with an address that is not its port's: anti-spoofing on ${host} dropped ${total} of its packets while it was probed`,
          subject: `guest of ${ownerName(subject)}`,
          scope: portScope(subject, { host: [host] }),
          confidence: first.rule.own ? 'certain' : 'likely',
          evidence: [
            showing(
              evidence,
              rises.slice(0, 4).map((r) => `${r.rule.where}  ${r.rule.raw}  rose by ${r.rose}`),
            ),
          ],
          remedies: [
            {
              title: `put ${subject.port.value.mac_address} and ${subject.port.value.fixed_ips.map((f) => f.ip_address).join(', ')} back in the guest`,
              risk: 'none',
              sufficient: false,
              steps: [
                advice(
                  'in the guest (its console): ip addr; its interface must have the MAC and the address of the port',
                ),
                byOperator(remedyAddressPair(subject.id, 'ADDRESS'), 'instead, when the other address is meant'),
              ],
            },
          ],
          verify: verifyWith('ping', subject),
        }),
      ],
      '',
    );
  },
});
