import type { ServingRouter } from '../../facts/port-api.ts';
import type { RulesOfHost } from '../../facts/rules.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName, namespaceName, parseAddress } from '../../path/addresses.ts';
import type { Hook, Packet } from '../../path/firewall/packet.ts';
import type { NodeRules } from '../../path/firewall/strangers.ts';

/** The rules of one network stack of a host, and the packets of this run that pass it. */
export interface Passing {
  readonly place: NodeRules;
  readonly packets: readonly Packet[];
  /** An instance cannot do without these: what surely takes them is wrong, whether or not anybody has sent one. */
  readonly essential: boolean;
}

export interface Around {
  readonly compute: string;
  /** The tap is a port of a Linux bridge: its packets pass FORWARD of the host. */
  readonly bridged: boolean;
  readonly routers: readonly ServingRouter[];
  /** Addresses of the DHCP ports. */
  readonly dhcp: readonly string[];
  readonly floating: readonly string[];
}

const OUT: readonly Hook[] = ['OUTPUT', 'POSTROUTING'];
const IN: readonly Hook[] = ['PREROUTING', 'INPUT'];
const THROUGH: readonly Hook[] = ['PREROUTING', 'FORWARD', 'POSTROUTING'];
const METADATA = '169.254.169.254';

const inNamespace = (rules: NodeRules, netns: string | undefined): NodeRules => ({
  iptables: (rules.iptables ?? []).filter((d) => d.netns === netns),
  nft: (rules.nft ?? []).filter((d) => d.netns === netns),
  qdiscs: (rules.qdiscs ?? []).filter((q) => q.netns === netns),
  filters: (rules.filters ?? []).filter((f) => f.netns === netns),
  ...(netns === undefined ? { ebtables: rules.ebtables ?? [], bridges: rules.bridges ?? [] } : {}),
});

/** The packets of this run as each place of the path sees them, and those of DHCP and metadata in the namespaces that serve them. */
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
  const routerOf = new Map(around.routers.map((r) => [namespaceName('qrouter', r.router.id), r]));

  const inDhcp = (): Packet[][] => [
    [...echoes({ hooks: OUT }, { hooks: IN }), ...arps()],
    [
      { family: 4, protocol: 'udp', sourcePort: 68, destinationPort: 67, sourceMac: port.mac_address, hooks: IN },
      { family: 4, protocol: 'udp', sourcePort: 67, destinationPort: 68, destinationMac: port.mac_address, hooks: OUT },
    ],
  ];
  const inRouter = (serving: ServingRouter): Packet[][] => {
    const own = serving.insides.flatMap((p) => p.fixed_ips.map((f) => f.ip_address));
    return [
      [
        ...echoes({ hooks: OUT }, { hooks: IN }),
        ...(around.floating.length === 0
          ? []
          : [
              ...echoes({ hooks: THROUGH }, { hooks: THROUGH }),
              ...around.floating.flatMap((address): Packet[] => [
                { family: 4, protocol: 'icmp', icmpType: 8, destination: address, hooks: ['PREROUTING'] },
                { family: 4, protocol: 'icmp', icmpType: 0, source: address, hooks: ['POSTROUTING'] },
              ]),
            ]),
        ...arps(),
      ],
      fixed
        .filter(({ family }) => family === 4)
        .flatMap(({ address }): Packet[] => [
          {
            family: 4,
            protocol: 'tcp',
            source: address,
            destination: METADATA,
            destinationPort: 80,
            hooks: ['PREROUTING'],
          },
          ...own
            .filter((inside) => parseAddress(inside)?.family === 4)
            .map(
              (inside): Packet => ({
                family: 4,
                protocol: 'tcp',
                source: address,
                destination: inside,
                destinationPort: 9697,
                hooks: ['INPUT'],
              }),
            ),
        ]),
    ];
  };

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
        essential: false,
      };
      return [
        ofHost,
        ...inside.flatMap((netns): Passing[] => {
          const serving = routerOf.get(netns);
          const [probes = [], needed = []] =
            netns === netnsOfDhcp ? inDhcp() : serving === undefined ? [[], []] : inRouter(serving);
          const place = inNamespace(rules, netns);
          return [
            { place, packets: probes, essential: false },
            { place, packets: needed, essential: true },
          ];
        }),
      ];
    },
  };
}
