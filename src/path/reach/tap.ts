import type { Direction, Miss, PortSecurity, Probe, SecurityGroup, Verdict } from '../secgroup/model.ts';
import { verdictOf } from '../secgroup/verdict.ts';
import { explainVerdict } from '../secgroup/words.ts';
import type { AtlasPort, AtlasReader } from './atlas.ts';
import type { Question } from './question.ts';
import type { Decider, Step } from './step.ts';

/** A packet as it passes the port of an end. */
export interface Passing {
  readonly way: Step['way'];
  readonly side: 'source-tap' | 'destination-tap';
  readonly direction: Direction;
  /** Address of the port's side as it stands in the packet. */
  readonly own: string | undefined;
  /** Address of the other side; undefined: anywhere outside. */
  readonly remote: string | undefined;
}

const ECHO = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

/** A port that no server and no client of DHCP has: the one an ordinary client would take. */
const EPHEMERAL = 49_152;

/** The packet in the terms of the rules. Of an answer the ports are the other way round. */
export function probeOf(q: Question, passing: Passing): Probe {
  const reply = passing.way === 'back';
  const base = {
    protocol: q.protocol,
    family: q.family,
    direction: passing.direction,
    ...(passing.remote === undefined ? {} : { remote: passing.remote }),
    ...(passing.direction === 'egress' && passing.own !== undefined ? { local: passing.own } : {}),
    ...(reply ? { reply } : {}),
  };
  if (q.protocol === 'icmp') return { ...base, icmpType: ECHO[q.family][reply ? 'reply' : 'request'], icmpCode: 0 };
  if (reply) {
    return {
      ...base,
      ...(q.sourcePort === undefined ? {} : { port: q.sourcePort }),
      ...(q.port === undefined ? {} : { sourcePort: q.port }),
    };
  }
  return { ...base, ...(q.port === undefined ? {} : { port: q.port }), sourcePort: q.sourcePort ?? EPHEMERAL };
}

const named = (port: AtlasPort, own: string | undefined): string =>
  own === undefined ? port.name : `${port.name} (${own})`;

export const portObject = (port: AtlasPort): Decider => ({ kind: 'port', id: port.id, name: port.name });

/** OVN binds neither metadata ports nor the inner ports of routers to a host: every host has them. */
function isEverywhere(port: AtlasPort, reader: AtlasReader): boolean {
  if (port.owner !== 'router') return port.owner === 'metadata';
  const around = reader.services(port.networkId);
  return around.known && around.value.some((p) => p.owner === 'metadata');
}

/** Whether anything is plugged in at all, by what the API says of the port. */
function standing(
  port: AtlasPort,
  base: Omit<Step, 'verdict' | 'because' | 'topic'>,
  reader: AtlasReader,
): Step | undefined {
  const object = portObject(port);
  if (!port.adminUp)
    return { ...base, topic: 'port', verdict: 'dropped', because: 'the port is switched off (admin state)', object };
  if (port.vifType === 'binding_failed' || (port.vifType === 'unbound' && !isEverywhere(port, reader))) {
    const because = `the port is bound to no host (${port.vifType})`;
    return { ...base, topic: 'port', verdict: 'dropped', because, object };
  }
  if (port.owner === 'instance' && port.status !== 'ACTIVE') {
    const because = `Neutron says the port is ${port.status}: nothing may be plugged in there`;
    return { ...base, topic: 'port', verdict: 'unknown', because, object, tell: `ostk-doctor port ${port.id}` };
  }
  return undefined;
}

const nearest = (miss: Miss | undefined): Decider | undefined =>
  miss === undefined
    ? undefined
    : miss.by === 'group-without-rules'
      ? { kind: 'security-group', id: miss.group.id, name: miss.group.name }
      : { kind: 'security-group', id: miss.of.group.id, name: miss.of.group.name };

/** Who decides: the rule that lets in, the group that lacks one, the port itself. */
function decider(verdict: Verdict, port: AtlasPort): Decider {
  switch (verdict.kind) {
    case 'allowed':
      return verdict.because === 'rules'
        ? { kind: 'security-group-rule', id: verdict.by[0].rule.id, name: verdict.by[0].group.name }
        : portObject(port);
    case 'denied': {
      if (verdict.because !== 'no-rule') return portObject(port);
      const [group] = verdict.groups;
      return (
        nearest(verdict.misses[0]) ??
        (group === undefined ? portObject(port) : { kind: 'security-group', id: group.id, name: group.name })
      );
    }
    case 'depends': {
      const [on] = verdict.on;
      const [unseen] = verdict.unseenGroups;
      if (on !== undefined) return { kind: 'security-group-rule', id: on.rule.id, name: on.group.name };
      return unseen === undefined ? portObject(port) : { kind: 'security-group', id: unseen };
    }
  }
}

/**
 * OVN lets the answers of its own responder in past every rule (northd, build_acls), and no request of a client out: neutron_pg_drop takes
 * every IP packet that no rule of the groups allows (neutron/common/ovn/acl.py, add_acls_for_drop_port_group).
 */
const asksLikeAnybody = (verdict: Verdict, probe: Probe, port: AtlasPort): boolean =>
  port.filter === 'ovn' &&
  probe.family === 4 &&
  probe.direction === 'egress' &&
  verdict.kind === 'allowed' &&
  verdict.because === 'exempt' &&
  verdict.exemption === 'dhcp';

/** Only the iptables drivers and OVN leave the connections of stateless groups untracked; the native OVS one tracks all. */
function tracksAnyway(port: AtlasPort, groups: readonly SecurityGroup[], probe: Probe): boolean {
  const stateless = groups.some((g) => port.security.groups.includes(g.id) && g.stateful === false);
  return probe.reply === true && stateless && (port.filter === 'ovs' || port.filter === 'unknown');
}

const wordsOf = (verdict: Verdict, probe: Probe): string =>
  verdict.kind === 'allowed' && verdict.because === 'exempt' && verdict.exemption === 'reply'
    ? 'the answer of a connection that it has let through'
    : explainVerdict(verdict, probe);

function rulesStep(
  verdict: Verdict,
  probe: Probe,
  port: AtlasPort,
  groups: readonly SecurityGroup[],
  base: Omit<Step, 'verdict' | 'because' | 'object' | 'topic'>,
): Step {
  const because = wordsOf(verdict, probe);
  const step = { ...base, topic: 'rules', because, object: decider(verdict, port) } as const;
  if (verdict.kind === 'allowed' && verdict.extent === 'whole') return { ...step, verdict: 'passes' };
  if (tracksAnyway(port, groups, probe)) {
    const driver =
      port.filter === 'ovs'
        ? 'the openvswitch firewall driver tracks connections of stateless groups all the same'
        : 'which firewall driver its host has is not told, and not all leave it untracked';
    return { ...step, because: `${because}; ${driver}`, verdict: 'unknown', tell: `ostk-doctor ping ${port.id}` };
  }
  if (verdict.kind === 'denied') return { ...step, verdict: 'dropped' };
  const tell =
    verdict.kind === 'depends'
      ? 'the members and rules of these groups, asked with credentials that see them'
      : probe.reply === true
        ? 'name the port that the sender uses: --source-port'
        : 'name the address of the other end';
  return { ...step, verdict: 'unknown', tell };
}

/** What the port of an end does with a packet: is it plugged in, may it send from there, do the groups let it through. */
export function tapSteps(q: Question, port: AtlasPort, passing: Passing, reader: AtlasReader): readonly Step[] {
  const { way, side, own } = passing;
  const base = {
    way,
    where: named(port, own),
    at: side,
    ...(port.host === undefined ? {} : { host: port.host }),
    object: portObject(port),
  };
  const down = standing(port, base, reader);
  const steps: Step[] = down === undefined ? [] : [down];
  // The DHCP server, the metadata port and the router are not filtered: there is nothing to say of each.
  if (port.owner !== 'instance' && !port.security.enabled) return steps;
  const probe = probeOf(q, passing);
  if (!port.security.enabled) {
    const because = 'port security is off: no group and no source address is looked at';
    return [...steps, { ...base, topic: 'port-security', verdict: 'passes', because }];
  }
  const known = reader.rules(port.id);
  const groups = known.known ? known.value.groups : [];
  const members = known.known ? known.value.members : new Map<string, readonly string[]>();
  const fixed = verdictOf(probe, port.security, groups, (id) => members.get(id));
  const verdict = asksLikeAnybody(fixed, probe, port)
    ? verdictOf({ ...probe, sourcePort: EPHEMERAL }, port.security, groups, (id) => members.get(id))
    : fixed;
  if (passing.direction === 'egress') {
    if (verdict.kind === 'denied' && verdict.because !== 'no-rule' && verdict.because !== 'no-group') {
      const because = explainVerdict(verdict, probe);
      return [...steps, { ...base, topic: 'port-security', verdict: 'dropped', because }];
    }
    steps.push({ ...base, topic: 'port-security', verdict: 'passes', because: sourceWords(own, port.security) });
  }
  // neutron iptables_firewall.py, _spoofing_rule: `-p ipv6-icmp -j RETURN`, ahead of the rules of the groups.
  if (probe.direction === 'egress' && probe.protocol === 'icmp' && probe.family === 6 && port.filter === 'iptables') {
    const because = 'the iptables firewall drivers let all ICMPv6 out, whatever the rules';
    return [...steps, { ...base, topic: 'rules', verdict: 'passes', because }];
  }
  if (!known.known && verdict.kind === 'depends') {
    const because = `the rules of its groups are not known: ${known.because}`;
    return [...steps, { ...base, topic: 'rules', verdict: 'unknown', because, tell: known.tell }];
  }
  const step = rulesStep(verdict, probe, port, groups, base);
  const takesZero = zeroAlone[port.filter];
  if (takesZero !== undefined) {
    const strict = verdictOf(probe, port.security, withoutProtocolZero(groups), (id) => members.get(id));
    const stricter = rulesStep(strict, probe, port, groups, base);
    if (step.verdict === 'passes' && stricter.verdict !== 'passes') {
      const because = `${stricter.because}; its rule for protocol 0 is meant for any, and ${takesZero} takes it for IP protocol 0 alone`;
      if (port.filter !== 'unknown') return [...steps, { ...stricter, because }];
      return [...steps, { ...step, because, verdict: 'unknown', tell: `ostk-doctor ping ${port.id}` }];
    }
  }
  const mayIgnore = mayIgnoreAddressGroups[port.filter];
  if (step.verdict !== 'dropped' || mayIgnore === undefined) return [...steps, step];
  const ofAddresses = new Set(groups.flatMap((g) => g.rules.flatMap((r) => r.remoteAddressGroupId ?? [])));
  const either = verdictOf(probe, port.security, groups, (id) => (ofAddresses.has(id) ? undefined : members.get(id)));
  if (either.kind !== 'depends') return [...steps, step];
  const because = `${step.because}; but not every release of ${mayIgnore} heeds address groups, and without them the rule lets everybody in`;
  const tell = `ostk-doctor secgroup ${port.id}, and the rules of its host`;
  return [...steps, { ...step, verdict: 'unknown', because, object: decider(either, port), tell }];
}

/**
 * Who makes `nw_proto=0` of a rule whose protocol is the number 0, which elsewhere stands for any: neutron openvswitch_firewall/rules.py,
 * create_protocol_flows; neutron/common/ovn/acl.py, acl_protocol_and_ports.
 */
const zeroAlone: Readonly<Record<AtlasPort['filter'], string | undefined>> = {
  iptables: undefined,
  ovs: 'the openvswitch firewall driver',
  ovn: 'OVN',
  unknown: 'the openvswitch firewall driver',
};

/**
 * Who knows no address groups in some releases, and gives such a rule no source at all: neutron iptables_firewall.py,
 * _convert_sg_rule_to_iptables_args; neutron/common/ovn/acl.py, _add_sg_rule_acl_for_port_group (both until Zed at least).
 */
const mayIgnoreAddressGroups: Readonly<Record<AtlasPort['filter'], string | undefined>> = {
  iptables: 'the iptables firewall drivers',
  ovs: undefined,
  ovn: "Neutron's OVN driver",
  unknown: undefined,
};

const withoutProtocolZero = (groups: readonly SecurityGroup[]): SecurityGroup[] =>
  groups.map((group) => ({
    ...group,
    rules: group.rules.filter(({ protocol }) => protocol !== 0 && protocol !== '0'),
  }));

const sourceWords = (own: string | undefined, security: PortSecurity): string => {
  if (own === undefined) return 'its own address';
  return security.fixedIps.includes(own)
    ? `${own} is its own address`
    : `${own} is an allowed address pair of the port`;
};
