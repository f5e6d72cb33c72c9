import type { ServingRouter } from '../../facts/port-api.ts';
import type { RulesOfHost } from '../../facts/rules.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName, namespaceName, parseAddress } from '../../path/addresses.ts';
import type { Hook, Packet } from '../../path/firewall/packet.ts';
import type { NodeRules } from '../../path/firewall/strangers/stranger.ts';

/** The rules of one network stack of a host, and the packets of this run that pass it. */
export interface Passing {
  readonly place: NodeRules;
  readonly packets: readonly Packet[];
}

export interface Around {
  readonly compute: string;
  /** The tap is a port of a Linux bridge: its packets pass FORWARD of the host. */
  readonly bridged: boolean;
  readonly routers: readonly ServingRouter[];
  readonly floating: readonly string[];
}

const OUT: readonly Hook[] = ['OUTPUT', 'POSTROUTING'];
const IN: readonly Hook[] = ['PREROUTING', 'INPUT'];
const THROUGH: readonly Hook[] = ['PREROUTING', 'FORWARD', 'POSTROUTING'];

const inNamespace = (rules: NodeRules, netns: string | undefined): NodeRules => ({
  iptables: (rules.iptables ?? []).filter((d) => d.netns === netns),
  nft: (rules.nft ?? []).filter((d) => d.netns === netns),
  qdiscs: (rules.qdiscs ?? []).filter((q) => q.netns === netns),
  filters: (rules.filters ?? []).filter((f) => f.netns === netns),
  ...(netns === undefined ? { ebtables: rules.ebtables ?? [], bridges: rules.bridges ?? [] } : {}),
});

/** The packets of this run as each place of the path sees them. */
export function probesOf(subject: PortSubject, around: Around): { at(host: string, rules: RulesOfHost): Passing[] } {
  const port = subject.port.value;
  const fixed = port.fixed_ips.map((f) => ({ address: f.ip_address, family: parseAddress(f.ip_address)?.family ?? 4 }));
  const echoes = (to: Partial<Packet> = {}, from: Partial<Packet> = {}): Packet[] =>
    fixed.flatMap(({ address, family }): Packet[] => [
      {
        family,
        protocol: 'icmp',
        destination: address,
        destinationMac: port.mac_address,
        icmpType: family === 4 ? 8 : 128,
        ...to,
      },
      {
        family,
        protocol: 'icmp',
        source: address,
        sourceMac: port.mac_address,
        icmpType: family === 4 ? 0 : 129,
        ...from,
      },
    ]);
  const arps = (to: Partial<Packet> = {}, from: Partial<Packet> = {}): Packet[] =>
    fixed
      .filter(({ family }) => family === 4)
      .flatMap(({ address, family }): Packet[] => [
        { family, protocol: '', arp: 'request', destination: address, ...to },
        { family, protocol: '', arp: 'reply', source: address, sourceMac: port.mac_address, ...from },
      ]);
  const tap = deviceName('tap', subject.id);
  const netnsOfDhcp = namespaceName('qdhcp', port.network_id);
  const netnsOfRouters = new Set(around.routers.map((r) => namespaceName('qrouter', r.router.id)));

  const fromInside = [...echoes({ hooks: OUT }, { hooks: IN }), ...arps()];
  const throughRouter =
    around.floating.length === 0
      ? []
      : [
          ...echoes({ hooks: THROUGH }, { hooks: THROUGH }),
          ...around.floating.flatMap((address): Packet[] => [
            { family: 4, protocol: 'icmp', icmpType: 8, destination: address, hooks: ['PREROUTING'] },
            { family: 4, protocol: 'icmp', icmpType: 0, source: address, hooks: ['POSTROUTING'] },
          ]),
        ];

  return {
    at: (host, { rules }) => {
      const inside = [
        ...new Set(
          [...(rules.iptables ?? []), ...(rules.nft ?? []), ...(rules.qdiscs ?? [])].flatMap((d) => d.netns ?? []),
        ),
      ];
      const bridge = around.bridged && host === around.compute;
      const ofHost: Passing = {
        place: inNamespace(rules, undefined),
        packets: bridge
          ? [...echoes({ bridgeOut: tap }, { bridgeIn: tap }), ...arps({ bridgeOut: tap }, { bridgeIn: tap })]
          : [...echoes(), ...arps()],
      };
      return [
        ofHost,
        ...inside.flatMap((netns): Passing[] => {
          const packets =
            netns === netnsOfDhcp ? fromInside : netnsOfRouters.has(netns) ? [...fromInside, ...throughRouter] : [];
          return packets.length === 0 ? [] : [{ place: inNamespace(rules, netns), packets }];
        }),
      ];
    },
  };
}
