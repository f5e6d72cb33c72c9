import type { Trace, TracePoint, TraceWay } from '../../../src/engine/trace.ts';
import type { Variant } from '../score/expectation.ts';
import { quote } from '../score/lab.ts';
import {
  ebtables,
  geneve,
  iptables,
  iptablesInVxlan,
  nft,
  nftInside,
  ovs,
  type Packet,
  pcap,
  pcapInside,
  u32,
  vxlan,
} from './packet.ts';
import { type Edge, mediaOf, pointStation, type Turn, turnsOf } from './stations.ts';

/** By which everything that is placed can be told from what the cloud made. */
export const marker = 'localise';
export const cookie = '0x10ca115e';
export const preference = 7919;

/** One way to lose the probe's packets at one place. */
export interface Drop {
  /** `nft bridge forward`; what is random is which kind, then where. */
  readonly kind: string;
  /** `fabric`: between the hosts, where no node can look. */
  readonly host: string;
  readonly netns?: string;
  readonly device: string;
  readonly way: TraceWay;
  /** Where it is, by what packet sockets see: before ingress filters, after egress filters. */
  readonly edge: Edge;
  /** Shell scripts for the host. `heal` does no harm where there is nothing to heal. */
  readonly inject: string;
  readonly heal: string;
  /** What stands in the words of a report that names this very rule; absent where no node counts it. */
  readonly mark?: string;
}

interface Site {
  readonly host: string;
  readonly netns?: string;
  readonly device: string;
  readonly way: TraceWay;
  readonly edge: Edge;
}

const inNamespace = ({ netns }: Site, line: string): string =>
  netns === undefined ? line : `ip netns exec ${netns} ${line}`;

function byIptables(site: Site, table: string, chain: string, match: string, named = ''): Drop {
  const rule = (verb: string): string =>
    inNamespace(site, `iptables -w 5 -t ${table} -${verb} ${chain} ${match} -m comment --comment ${marker} -j DROP`);
  return {
    ...site,
    kind: `iptables ${table} ${chain}${named}`,
    inject: rule('I'),
    heal: `while ${rule('D')} 2>/dev/null; do :; done`,
    mark: marker,
  };
}

function byNft(site: Site, family: string, hook: string, priority: number, match: string, named = ''): Drop {
  const nftables = (words: string): string => inNamespace(site, `nft ${quote(words)}`);
  const where = family === 'netdev' ? ` device "${site.device}"` : '';
  return {
    ...site,
    kind: `nft ${family} ${hook}${named}`,
    inject: [
      `add table ${family} ${marker}`,
      `add chain ${family} ${marker} hush { type filter hook ${hook}${where} priority ${priority}; policy accept; }`,
      `add rule ${family} ${marker} hush ${match} counter drop`,
    ]
      .map(nftables)
      .join(' && '),
    heal: `${nftables(`delete table ${family} ${marker}`)} 2>/dev/null; true`,
    mark: marker,
  };
}

function byEbtables(site: Site, table: string, chain: string, match: string): Drop {
  const rule = (verb: string): string => `ebtables -t ${table} -${verb} ${chain} ${match} -j DROP`;
  return {
    ...site,
    kind: `ebtables ${table} ${chain}`,
    inject: rule('I'),
    heal: `while ${rule('D')} 2>/dev/null; do :; done`,
    mark: 'ebtables',
  };
}

/** A classic BPF filter that drops by itself (tc-bpf(8), direct-action): 2 is TC_ACT_SHOT. */
function byBpf(site: Site, hook: 'ingress' | 'egress', filter: string): Drop {
  const compiled = `$(tcpdump -y EN10MB -ddd ${quote(filter)} | sed 's/ 262144$/ 2/' | tr '\\n' ',')`;
  const tc = (words: string): string => inNamespace(site, `tc ${words}`);
  return {
    ...site,
    kind: `tc bpf ${hook}`,
    inject: [
      `code="${compiled}"`,
      tc(`qdisc add dev ${site.device} clsact`),
      tc(`filter add dev ${site.device} ${hook} pref ${preference} protocol all bpf da bytecode "$code"`),
    ].join(' && '),
    heal: `${tc(`qdisc del dev ${site.device} clsact`)} 2>/dev/null; true`,
    mark: String(preference),
  };
}

/** Taken aside to a device that leads nowhere: a kernel without gact has no other drop for u32. */
function byRedirect(site: Site, hook: 'ingress' | 'egress', match: string): Drop {
  const tc = (words: string): string => inNamespace(site, `tc ${words}`);
  return {
    ...site,
    kind: `tc u32 redirect ${hook}`,
    inject: [
      inNamespace(site, `ip link add ${marker}0 type veth peer name ${marker}1`),
      inNamespace(site, `ip link set ${marker}0 up`),
      tc(`qdisc add dev ${site.device} clsact`),
      tc(
        `filter add dev ${site.device} ${hook} pref ${preference} protocol ip u32 ${match} action mirred egress redirect dev ${marker}0`,
      ),
    ].join(' && '),
    heal: `${tc(`qdisc del dev ${site.device} clsact`)} 2>/dev/null; ${inNamespace(site, `ip link del ${marker}0`)} 2>/dev/null; true`,
    mark: String(preference),
  };
}

function byFlow(site: Site, bridge: string, match: string, table = 0): Drop {
  return {
    ...site,
    kind: `flow on ${bridge}${table === 0 ? '' : ` table ${table}`}`,
    inject: `ovs-ofctl add-flow ${bridge} 'cookie=${cookie},table=${table},priority=60000,${match},actions=drop'`,
    heal: `ovs-ofctl del-flows ${bridge} 'cookie=${cookie}/-1'`,
    mark: 'priority=60000',
  };
}

/** Setting a link down costs its routes and its IPv6 addresses, which Neutron would only put back when it handles the port again. */
function byLinkDown(site: Site): Drop {
  const { device } = site;
  const ip = (words: string): string => inNamespace(site, `ip ${words}`);
  const kept = `/run/${marker}-link`;
  return {
    ...site,
    kind: 'link down',
    inject: [
      `mkdir -p ${kept}`,
      `${ip('-4 route show')} > ${kept}/routes`,
      `${ip(`-6 -o addr show dev ${device}`)} > ${kept}/addresses`,
      ip(`link set ${device} down`),
    ].join(' && '),
    heal: [
      ip(`link set ${device} up`),
      `[ ! -f ${kept}/routes ] || { while read -r route; do ${ip('-4 route replace $route')} 2>/dev/null </dev/null; done < ${kept}/routes`,
      `awk '{print $4}' ${kept}/addresses | while read -r address; do ${ip(`-6 addr add $address dev ${device} nodad`)} 2>/dev/null </dev/null; done`,
      `rm -r ${kept}; }; true`,
    ].join('; '),
  };
}

/** The network's VXLAN device made again under another VNI: as an agent with a stale segment would have it. */
function byWrongVni(site: Site, vni: number): Drop {
  const { device } = site;
  const kept = `/run/${marker}-vni`;
  const make = (id: number): string =>
    [
      `{ ip link del ${device} 2>/dev/null || true; }`,
      `ip link add ${device} address $mac type vxlan id ${id} local $own dev $under dstport 4789 nolearning`,
      `ip link set ${device} mtu $mtu master $bridge up`,
      // Neutron floods to every peer and knows their ports (l2population).
      `while read -r mac word peer rest; do [ "$word" = dst ] && bridge fdb append $mac dev ${device} dst $peer; done < ${kept}/fdb; true`,
    ].join(' && ');
  return {
    ...site,
    kind: 'wrong VNI',
    inject: [
      `mkdir -p ${kept}`,
      `bridge fdb show dev ${device} > ${kept}/fdb`,
      `ip -j -d link show ${device} | python3 -c 'import json,sys; l = json.load(sys.stdin)[0]; d = l["linkinfo"]["info_data"]; print("mac=%s own=%s under=%s mtu=%s bridge=%s" % (l["address"], d["local"], d["link"], l["mtu"], l["master"]))' > ${kept}/link`,
      `. ${kept}/link`,
      make(vni + 1000),
    ].join(' && '),
    heal: `[ ! -f ${kept}/link ] || { . ${kept}/link; ${make(vni)}; rm -r ${kept}; }`,
  };
}

/** The same for Open vSwitch, which learns of a packet's network in table 4 of br-tun: what comes in is nobody's. */
function byWrongTunnelId(site: Site, vni: number): Drop {
  const kept = `/run/${marker}-vni`;
  const id = (n: number): string => `0x${n.toString(16)}`;
  return {
    ...site,
    kind: 'wrong VNI',
    inject: [
      `mkdir -p ${kept}`,
      `ovs-ofctl --no-stats dump-flows br-tun table=4 | sed 's/^ *//; s/ actions=/,actions=/' | grep 'tun_id=${id(vni)},' > ${kept}/flow`,
      `sed 's/tun_id=${id(vni)},/tun_id=${id(vni + 1000)},/' ${kept}/flow | ovs-ofctl add-flows br-tun -`,
      `ovs-ofctl --strict del-flows br-tun table=4,priority=1,tun_id=${id(vni)}`,
    ].join(' && '),
    heal: `[ ! -f ${kept}/flow ] || { ovs-ofctl add-flows br-tun ${kept}/flow; ovs-ofctl --strict del-flows br-tun table=4,priority=1,tun_id=${id(vni + 1000)}; rm -r ${kept}; }`,
  };
}

const isProvider = (p: TracePoint): boolean => p.netns === undefined && p.wears === undefined && !/^tap/.test(p.device);

/**
 * Tables that every packet passes from one device of a chassis to another (controller/lflow.h of OVN 23.03: the first of a datapath's
 * ingress, output to other chassis, the first of its egress, out by a port), as it is before and after a router has translated it.
 */
function ovnFlows(site: Site, from: TracePoint | undefined, to: TracePoint, before: string, after: string): Drop[] {
  const received = from?.wears !== undefined;
  const inner = [
    byFlow(site, 'br-int', before),
    ...(received ? [] : [byFlow(site, 'br-int', before, 8)]),
    ...(to.wears === undefined
      ? [
          byFlow(site, 'br-int', after, 65),
          ...(isProvider(to) || (from !== undefined && isProvider(from)) ? [] : [byFlow(site, 'br-int', after, 42)]),
        ]
      : [byFlow(site, 'br-int', after, 37)]),
  ];
  const provider = [
    ...(from !== undefined && isProvider(from) ? [byFlow(site, 'br-ex', before)] : []),
    ...(isProvider(to) ? [byFlow(site, 'br-ex', after)] : []),
  ];
  return [...inner, ...provider];
}

export interface Scene {
  readonly trace: Trace;
  readonly variant: Variant;
  /** The address of the answerer behind a router's translation, where the probe goes to another. */
  readonly behind?: string;
  /** Match the sender's address, too. */
  readonly narrow: boolean;
}

/** Every drop that the path can hold. */
export function dropsOf({ trace, variant, behind, narrow }: Scene): Drop[] {
  const { points, probe } = trace;
  if (probe.protocol !== 'icmp' && probe.protocol !== 'tcp') return [];
  const { protocol } = probe;
  const n = points.length;
  const media = mediaOf(trace, variant);
  const turns = turnsOf(media, trace);
  const tunnel = variant === 'ovn' ? geneve : vxlan;
  const translated = trace.changes.find((c) => c.way === 'there' && c.what === 'destination')?.before ?? -1;
  const translation = variant === 'ovn' ? translated : media.indexOf('routed');
  const vniAt = points.findIndex((p) => /^vxlan \d+$/.test(p.wears ?? ''));
  const vni = Number(points[vniAt]?.wears?.split(' ')[1] ?? 0);
  const masked = trace.changes.some((c) => c.way === 'there' && c.what === 'source');
  const drops: Drop[] = [];

  for (const way of ['there', 'back'] as const) {
    const station = (i: number): number => pointStation(i, n, way);
    const first = way === 'there' ? 0 : 2 * n + 2;
    /** Inside of the translation, or where there is none. */
    const packet = (inside: boolean): Packet => ({
      protocol,
      way,
      far: inside && behind !== undefined && translation >= 0 ? behind : probe.to,
      ...(probe.port === undefined ? {} : { port: probe.port }),
      ...(narrow && probe.from !== '' && !masked ? { own: probe.from } : {}),
    });
    /** What is put in behind a device comes by there on its way back alone. */
    const isPassed = (i: number): boolean => points[i]?.only === undefined || points[i]?.only === way;
    const isInside = (i: number): boolean => translation < 0 || i >= translation;

    // Between two places.
    media.forEach((medium, i) => {
      if (!isPassed(i)) return;
      const [a, b] = [isPassed(i - 1) ? points[i - 1] : undefined, points[i]];
      const [from, to] = way === 'there' ? [a, b] : [b, a];
      const edge: Edge =
        way === 'there'
          ? { after: a === undefined ? 0 : station(i - 1), before: i === n ? n + 1 : station(i) }
          : { after: i === n ? n + 1 : station(i), before: i === 0 ? first : station(i - 1) };
      const place = to ?? from;
      if (place === undefined) return;
      const site: Site = {
        host: place.host,
        ...(place.netns === undefined ? {} : { netns: place.netns }),
        device: place.device,
        way,
        edge,
      };
      const inside = packet(isInside(i));
      switch (medium) {
        case 'local': {
          const match = iptables(inside);
          if (way === 'there') {
            for (const table of ['raw', 'mangle', 'filter']) drops.push(byIptables(site, table, 'OUTPUT', match));
            drops.push(byNft(site, 'inet', 'output', -10, nft(inside)));
          } else {
            drops.push(byIptables(site, 'raw', 'PREROUTING', match));
            for (const table of ['mangle', 'filter']) drops.push(byIptables(site, table, 'INPUT', match));
            drops.push(byNft(site, 'inet', 'input', -10, nft(inside)));
          }
          return;
        }
        case 'routed': {
          // Destinations are translated after mangle's PREROUTING; what comes back still has the inner address everywhere.
          const outer = way === 'there' ? packet(false) : inside;
          for (const table of ['raw', 'mangle']) drops.push(byIptables(site, table, 'PREROUTING', iptables(outer)));
          for (const table of ['mangle', 'filter']) drops.push(byIptables(site, table, 'FORWARD', iptables(inside)));
          drops.push(
            byIptables(site, 'mangle', 'POSTROUTING', iptables(inside)),
            byNft(site, 'inet', 'forward', -10, nft(inside)),
            byNft(site, 'ip', 'prerouting', -350, nft(outer)),
          );
          return;
        }
        case 'bridge': {
          if (from === undefined || to === undefined) return;
          const here = packet(isInside(i));
          const [x, y] = [from.device, to.device];
          drops.push(
            byIptables(
              site,
              'filter',
              'FORWARD',
              `-m physdev --physdev-is-bridged --physdev-in ${x} --physdev-out ${y} ${iptables(here)}`,
              ' physdev',
            ),
            byIptables(site, 'raw', 'PREROUTING', `-m physdev --physdev-in ${x} ${iptables(here)}`, ' physdev'),
            byNft(site, 'inet', 'forward', -10, nft(here), ' bridged'),
            byNft(site, 'bridge', 'prerouting', -350, `iifname "${x}" ${nft(here)}`),
            byNft(site, 'bridge', 'forward', -10, `iifname "${x}" oifname "${y}" ${nft(here)}`),
            byNft(site, 'bridge', 'postrouting', 10, `oifname "${y}" ${nft(here)}`),
            byEbtables(site, 'filter', 'FORWARD', `-i ${x} -o ${y} ${ebtables(here)}`),
            byEbtables(site, 'nat', 'PREROUTING', `-i ${x} ${ebtables(here)}`),
            byEbtables(site, 'nat', 'POSTROUTING', `-o ${y} ${ebtables(here)}`),
          );
          return;
        }
        case 'encap':
        case 'decap': {
          const outwards = (medium === 'encap') === (way === 'there');
          const match = iptablesInVxlan(packet(true));
          const chains = outwards
            ? ([
                ['raw', 'OUTPUT'],
                ['filter', 'OUTPUT'],
                ['mangle', 'POSTROUTING'],
              ] as const)
            : ([
                ['raw', 'PREROUTING'],
                ['filter', 'INPUT'],
                ['mangle', 'INPUT'],
              ] as const);
          for (const [table, chain] of chains) drops.push(byIptables(site, table, chain, match, ' underlay'));
          drops.push(
            byNft(site, 'inet', outwards ? 'output' : 'input', -10, nftInside(tunnel, packet(true)), ' underlay'),
          );
          return;
        }
        case 'fabric': {
          const { mark: _unseen, ...hidden } = byNft(
            { ...site, host: 'fabric', device: 'br-tunnel' },
            'bridge',
            'forward',
            0,
            nftInside(tunnel, packet(true)),
            ' fabric',
          );
          drops.push(hidden);
          return;
        }
        case 'ovs': {
          if (variant === 'ovn' && to !== undefined) {
            const [before, after] = way === 'there' ? [i - 1, i] : [i, i - 1];
            drops.push(...ovnFlows(site, from, to, ovs(packet(isInside(before))), ovs(packet(isInside(after)))));
            return;
          }
          if (from === undefined || to === undefined) return;
          const here = ovs(packet(isInside(i)));
          const underlay = [from, to].find((p) => p.wears !== undefined);
          const bridges = ['br-int', underlay === undefined ? 'br-ex' : 'br-tun'];
          for (const bridge of bridges)
            drops.push(byFlow({ host: site.host, device: bridge, way, edge }, bridge, here));
          return;
        }
        case 'veth':
        case 'beyond':
          return;
      }
    });

    // On a device: what comes in is seen before it is taken, what goes out is taken before it is seen.
    points.forEach((point, i) => {
      if (!isPassed(i)) return;
      const turn: Turn = (turns[i] === 'in') === (way === 'there') ? 'in' : 'out';
      const [before, behindIt] = way === 'there' ? [media[i], media[i + 1]] : [media[i + 1], media[i]];
      // Open vSwitch reads its ports as packet sockets do (userspace datapath), before any ingress filter.
      if (turn === 'in' && behindIt === 'ovs' && point.netns === undefined) return;
      const previous =
        way === 'there' ? (i === 0 || !isPassed(i - 1) ? 0 : station(i - 1)) : i === n - 1 ? n + 1 : station(i + 1);
      const next = way === 'there' ? (i === n - 1 ? n + 1 : station(i + 1)) : i === 0 ? first : station(i - 1);
      // What stands before the first or behind the last device is not ours.
      if ((turn === 'out' && before === 'beyond') || (turn === 'in' && behindIt === 'beyond')) return;
      const site: Site = {
        host: point.host,
        ...(point.netns === undefined ? {} : { netns: point.netns }),
        device: point.device,
        way,
        edge: turn === 'in' ? { after: station(i), before: next } : { after: previous, before: station(i) },
      };
      const hook = turn === 'in' ? 'ingress' : 'egress';
      const wrapped = point.wears !== undefined;
      const here = packet(isInside(i));
      drops.push(
        byBpf(site, hook, wrapped ? pcapInside(tunnel, here) : pcap(here)),
        byNft(site, 'netdev', hook, 0, wrapped ? nftInside(tunnel, here) : nft(here)),
      );
      if (!wrapped) drops.push(byRedirect(site, hook, u32(here)));
    });
  }

  points.forEach((point, i) => {
    const site = {
      host: point.host,
      ...(point.netns === undefined ? {} : { netns: point.netns }),
      device: point.device,
    };
    const isLast = i === n - 1;
    const [incoming, outgoing] = [media[i], media[i + 1]];
    // A gateway's routes to the world are not ours to lose, and a host has but one underlay.
    const inner = incoming === 'local' && !point.device.startsWith('qg-');
    const tunnel = point.netns === undefined && /^vxlan-/.test(point.device);
    const guest = isLast && trace.answerer.kind === 'guest';
    const cable = (incoming === 'veth' || outgoing === 'veth') && !point.device.startsWith('qg-');
    if (inner || tunnel || guest || cable) {
      // A veth whose other end is down has no carrier, and what should go out by it ends before it (sch_generic.c, noop_qdisc).
      const out = incoming === 'veth' ? i - 1 : i;
      drops.push(
        byLinkDown({
          ...site,
          way: 'there',
          edge: { after: out === 0 ? 0 : pointStation(out - 1, n, 'there'), before: pointStation(out, n, 'there') },
        }),
      );
    }
    if (vni > 0 && variant === 'lb' && tunnel) {
      const decap = media.indexOf('decap');
      if (decap > 0) {
        drops.push(
          byWrongVni(
            {
              ...site,
              way: 'there',
              edge: { after: pointStation(decap - 1, n, 'there'), before: pointStation(decap, n, 'there') },
            },
            vni,
          ),
        );
      }
    }
    if (vni > 0 && variant !== 'lb' && point.wears !== undefined) {
      const way = outgoing === 'fabric' ? 'back' : 'there';
      const behindIt = way === 'there' ? i + 1 : i - 1;
      drops.push(
        byWrongTunnelId(
          {
            ...site,
            device: 'br-tun',
            way,
            edge: { after: pointStation(i, n, way), before: pointStation(behindIt, n, way) },
          },
          vni,
        ),
      );
    }
  });
  return drops;
}

/** For a host and each of its namespaces: whatever of ours a run that was cut off has left, except what only its record can put back. */
export const sweep = `
swept() {
  for t in raw mangle filter; do
    iptables-save -t $t 2>/dev/null | sed -n 's/^-A \\(.*--comment "*${marker}"* .*\\)$/\\1/p' | while read -r rule; do eval "iptables -w 5 -t $t -D $rule"; done
  done
  nft list tables 2>/dev/null | awk '$3 == "${marker}" {print $2}' | while read -r family; do nft delete table $family ${marker}; done
  ip -o link 2>/dev/null | sed -E 's/^[0-9]+: ([^:@]+).*/\\1/' | while read -r d; do
    { tc filter show dev $d ingress; tc filter show dev $d egress; } 2>/dev/null | grep -q 'pref ${preference} ' && tc qdisc del dev $d clsact
  done
  ip link del ${marker}0 2>/dev/null
  return 0
}
swept
for ns in $(ip netns list 2>/dev/null | awk '{print $1}'); do export -f swept; ip netns exec $ns bash -c swept; done
command -v ovs-vsctl >/dev/null && for b in $(ovs-vsctl list-br 2>/dev/null); do ovs-ofctl del-flows $b 'cookie=${cookie}/-1'; done
true`;
