import { cidrContains, familyOf, normalCidr } from '../addresses.ts';
import type { Enforcement, ExtraRule, MissingRule, NotEnforced } from '../firewall/enforcement.ts';
import { protocolNumber, standsForEveryProtocol } from '../firewall/packet.ts';
import type { RuleRef, SecurityGroup, SecurityGroupRule } from '../secgroup/model.ts';
import { type Difference, setWords } from './difference.ts';
import { concerns, isOfIp, sameMatch } from './match.ts';
import type { Acl, LogicalView, PortGroup } from './model.ts';
import { type ApiPort, dropGroup, groupName, isSecured, isTrusted } from './ordered.ts';

/** Neutron's priorities (common/ovn/constants.py): what rules allow, and the drop beneath. */
const ALLOW = 1002;
const DROP = 1001;

const ruleKey = 'neutron:security_group_rule_id';

/** The expression that Neutron makes of a rule (common/ovn/acl.py _add_sg_rule_acl_for_port_group). */
export function orderedMatch(group: string, rule: SecurityGroupRule): string {
  const ingress = rule.direction === 'ingress';
  const [ip, icmp, family] =
    rule.ethertype === 'IPv6' ? (['ip6', 'icmp6', 6] as const) : (['ip4', 'icmp4', 4] as const);
  const end = `${ip}.${ingress ? 'src' : 'dst'}`;
  const terms = [`${ingress ? 'outport' : 'inport'} == @${group}`, ip];
  if (rule.remoteIpPrefix !== null) terms.push(`${end} == ${normalCidr(rule.remoteIpPrefix)}`);
  if (rule.remoteGroupId) terms.push(`${end} == $${groupName(rule.remoteGroupId)}_${ip}`);
  // Address groups came to ML2/OVN with 2023.1 (utils.py ovn_ag_addrset_name).
  else if (rule.remoteAddressGroupId) {
    terms.push(`${end} == $${`ag_${rule.remoteAddressGroupId}_${ip}`.replaceAll('-', '_')}`);
  }
  if (rule.protocol === null || standsForEveryProtocol(String(rule.protocol))) return terms.join(' && ');
  const number = protocolNumber(String(rule.protocol), family);
  const transport = number === 6 ? 'tcp' : number === 17 ? 'udp' : number === 132 ? 'sctp' : undefined;
  const { portMin: min, portMax: max } = rule;
  if (transport !== undefined) {
    terms.push(transport);
    if (min !== null && min === max) terms.push(`${transport}.dst == ${min}`);
    else {
      if (min !== null) terms.push(`${transport}.dst >= ${min}`);
      if (max !== null) terms.push(`${transport}.dst <= ${max}`);
    }
  } else if (number === 1 || number === 58) {
    terms.push(icmp);
    if (min !== null) terms.push(`${icmp}.type == ${min}`);
    if (max !== null) terms.push(`${icmp}.code == ${max}`);
  } else terms.push(`ip.proto == ${number ?? rule.protocol}`);
  return terms.join(' && ');
}

const directionOf = (rule: SecurityGroupRule): Acl['direction'] =>
  rule.direction === 'ingress' ? 'to-lport' : 'from-lport';

/** The last octets of an address in a match may be a host's: `10.0.0.5/32` and `10.0.0.5` are the same. */
const plain = (match: string): string => match.replace(/(\d|[0-9a-f:])\/(?:32|128)\b/g, '$1');

/** Whether an ACL lets through what Neutron ordered for this rule. */
function serves(acl: Acl, group: SecurityGroup, rule: SecurityGroupRule): boolean {
  const name = groupName(group.id);
  const of = (one: SecurityGroupRule): boolean => sameMatch(plain(acl.match), plain(orderedMatch(name, one)));
  return (
    acl.direction === directionOf(rule) &&
    acl.priority === ALLOW &&
    acl.action === (group.stateful === false ? 'allow-stateless' : 'allow-related') &&
    // Before 2023.1 ML2/OVN did not know address groups, and let the rest of the rule through for everybody.
    (of(rule) || (rule.remoteAddressGroupId != null && of({ ...rule, remoteAddressGroupId: null })))
  );
}

/** `ovn-nbctl acl-list` of a port group prints them so. */
export const aclWords = (acl: Acl): string => `${acl.direction} ${acl.priority} (${acl.match}) ${acl.action}`;

const orderedWords = (group: SecurityGroup, rule: SecurityGroupRule): string =>
  `${directionOf(rule)} ${ALLOW} (${orderedMatch(groupName(group.id), rule)}) ${group.stateful === false ? 'allow-stateless' : 'allow-related'}`;

export interface AclMend {
  readonly title: string;
  readonly argv: readonly [string, ...string[]];
}

/** The security groups of one port in the Northbound, in the words that every firewall is compared in. */
export interface AclEnforcement extends Enforcement {
  /** One command per thing that is missing; together they make it whole. */
  readonly mends: readonly AclMend[];
}

/**
 * The port groups and ACLs that stand for the port's security groups against the rules of the API. Without port
 * security Neutron takes the port out of every group, and nothing filters it.
 */
export function compareAcls(port: ApiPort, groups: readonly SecurityGroup[], view: LogicalView): AclEnforcement {
  const missing: MissingRule[] = [];
  const extra: ExtraRule[] = [];
  const chainsMissing: string[] = [];
  const notEnforced: NotEnforced[] = [];
  const found: RuleRef[] = [];
  const mends: AclMend[] = [];
  const { port: lsp } = view;
  const done = (): AclEnforcement => ({
    missing,
    extra,
    chainsMissing,
    notEnforced,
    baseMissing: [],
    found,
    undecided: [],
    mends,
  });
  if (lsp === undefined || isTrusted(port)) return done();
  const within = (name: string): PortGroup | undefined =>
    view.portGroups.find((g) => g.name === name && g.ports.includes(lsp.uuid));
  const drop = within(dropGroup);
  const joining = (name: string): void => {
    mends.push({ title: `put the port into ${name} again`, argv: ['add', 'Port_Group', name, 'ports', lsp.uuid] });
  };
  if (!isSecured(port)) {
    if (drop !== undefined) {
      extra.push({
        where: `Port_Group ${dropGroup}`,
        raw: 'the port is a member although its port security is off: all of its IP packets are dropped',
        packets: 0,
        effect: 'drops',
      });
      mends.push({
        title: `take it out of ${dropGroup}`,
        argv: ['remove', 'Port_Group', dropGroup, 'ports', lsp.uuid],
      });
    }
    return done();
  }
  if (drop === undefined) {
    notEnforced.push({
      by: 'unfiltered',
      where: `Port_Group ${dropGroup}`,
      raw: 'the port is not a member: what no rule allows is let through, too',
    });
    joining(dropGroup);
  } else {
    for (const [direction, end] of [
      ['to-lport', 'outport'],
      ['from-lport', 'inport'],
    ] as const) {
      const match = `${end} == @${dropGroup} && ip`;
      if (drop.acls.some((a) => a.direction === direction && a.action === 'drop' && sameMatch(a.match, match)))
        continue;
      notEnforced.push({
        by: 'unfiltered',
        where: `Port_Group ${dropGroup}`,
        raw: `no ACL ${direction} ${DROP} (${match}) drop`,
      });
      mends.push({
        title: 'put the drop back',
        argv: ['--type=port-group', 'acl-add', dropGroup, direction, String(DROP), match, 'drop'],
      });
    }
  }
  for (const id of port.security_groups ?? []) {
    const group = groups.find((g) => g.id === id);
    if (group === undefined) continue;
    const name = groupName(id);
    const row = view.securityGroups.get(name);
    if (row === undefined) {
      chainsMissing.push(`Port_Group ${name} (security group ${group.name})`);
      mends.push({
        title: 'make the port group again',
        argv: [
          ...(['--id=@group', 'create', 'Port_Group', `name=${name}`, `ports=${lsp.uuid}`] as const),
          `external_ids:neutron\\:security_group_id="${id}"`,
          ...group.rules.flatMap((rule) => ['--', ...adding(group, rule)]),
        ],
      });
      continue;
    }
    if (!row.ports.includes(lsp.uuid)) {
      chainsMissing.push(`membership of the port in Port_Group ${name} (security group ${group.name})`);
      joining(name);
    }
    for (const rule of group.rules) {
      const of: RuleRef = { group: { id, name: group.name }, rule };
      const own = row.acls.filter((a) => a.externalIds.get(ruleKey) === rule.id);
      // Several rules may come to one expression; Neutron writes it once (may_exist).
      if (row.acls.some((a) => serves(a, group, rule))) {
        found.push(of);
        continue;
      }
      missing.push({
        of,
        expected: [orderedWords(group, rule)],
        where: `Port_Group ${name}`,
        instead: own.map(aclWords),
      });
      for (const wrong of own) {
        mends.push({ title: 'take the wrong one away', argv: ['remove', 'Port_Group', name, 'acls', wrong.uuid] });
      }
      mends.push({ title: 'put the rule back', argv: adding(group, rule) });
    }
    for (const acl of row.acls) {
      if (group.rules.some((rule) => serves(acl, group, rule))) continue;
      const id = acl.externalIds.get(ruleKey);
      if (acl.action !== 'drop' && acl.action !== 'reject' && group.rules.some((rule) => rule.id === id)) continue;
      extra.push({
        where: `Port_Group ${name}`,
        raw: aclWords(acl),
        packets: 0,
        effect: acl.action.startsWith('allow') || acl.action === 'pass' ? 'lets through' : 'drops',
      });
      mends.push({
        title: 'take the ACL away that no rule explains',
        argv: ['remove', 'Port_Group', name, 'acls', acl.uuid],
      });
    }
  }
  return done();
}

function adding(group: SecurityGroup, rule: SecurityGroupRule): readonly [string, ...string[]] {
  const name = groupName(group.id);
  return [
    '--id=@acl',
    'create',
    'ACL',
    `direction=${directionOf(rule)}`,
    `priority=${ALLOW}`,
    `match="${orderedMatch(name, rule)}"`,
    `action=${group.stateful === false ? 'allow-stateless' : 'allow-related'}`,
    `external_ids:neutron\\:security_group_rule_id="${rule.id}"`,
    '--',
    'add',
    'Port_Group',
    name,
    'acls',
    '@acl',
  ];
}

/** ACLs of port groups that no security group of the port stands for: a stranger's drop or a stranger's way in. */
export function compareStrangerGroups(port: ApiPort, name: string, view: LogicalView): readonly Difference[] {
  const { port: lsp } = view;
  if (lsp === undefined) return [];
  const own = new Set([dropGroup, ...(port.security_groups ?? []).map(groupName)]);
  const names = view.portGroups.map((g) => g.name);
  const differences: Difference[] = [];
  for (const group of view.portGroups) {
    if (!group.ports.includes(lsp.uuid)) continue;
    const former = group.externalIds.get('neutron:security_group_id');
    const isDrop = group.name === dropGroup;
    if (own.has(group.name) && !isDrop) continue;
    const strange = group.acls.filter((a) => {
      if (!concerns(a.match, port.id, names)) return false;
      const neutrons = isDrop && a.action === 'drop' && a.priority === DROP && /@neutron_pg_drop && ip$/.test(a.match);
      return !neutrons && !shadowed(a);
    });
    const [first] = strange;
    if (first === undefined) continue;
    const drops = strange.find((a) => a.action === 'drop' || a.action === 'reject');
    const shown = drops ?? first;
    const membership = !isDrop && (former !== undefined || strange.length === group.acls.length);
    differences.push({
      kind: 'acl-stranger',
      layer: 'northbound',
      table: 'Port_Group',
      object: `Port_Group ${group.name}`,
      summary:
        former === undefined
          ? `Port group ${group.name}, which Neutron did not order for ${name}, ${drops === undefined ? 'lets through' : `${drops.action}s`} its packets: ${aclWords(shown)}`
          : `${name} is still in port group ${group.name}, and no longer in the security group that it stands for: ${aclWords(shown)}`,
      ordered: `port groups ${setWords(own)}`,
      found: `${group.name}: ${strange.map(aclWords).join('; ')}`,
      mends: [
        {
          by: 'ovn-nbctl',
          title: membership
            ? 'take the port out of the group, once its maker agrees'
            : 'take the ACL away, once its maker agrees',
          argv: membership
            ? ['remove', 'Port_Group', group.name, 'ports', lsp.uuid]
            : ['remove', 'Port_Group', group.name, 'acls', ...strange.map((a) => a.uuid)],
        },
      ],
      ...(drops === undefined ? { severity: 'warning' as const } : {}),
    });
  }
  return differences;
}

/** A drop below Neutron's own that sees packets of IP alone changes nothing that is not dropped already. */
const shadowed = (acl: Acl): boolean =>
  (acl.action === 'drop' || acl.action === 'reject' ? acl.priority < ALLOW : acl.priority < DROP) &&
  isOfIp(acl.match) &&
  (acl.tier ?? 0) === 0;

/**
 * The address sets that the port's rules name (`pg_…_ip4`, made by ovn-northd of the members' addresses) against the
 * members' addresses in the API. Allowed address pairs are never in them: ovn-northd reads `addresses` alone.
 */
export function compareAddressSets(
  name: string,
  groups: readonly SecurityGroup[],
  members: ReadonlyMap<string, readonly string[]>,
  sets: ReadonlyMap<string, readonly string[]>,
): readonly Difference[] {
  const remote = new Set(groups.flatMap((g) => g.rules.flatMap((r) => r.remoteGroupId ?? [])));
  const differences: Difference[] = [];
  for (const id of remote) {
    const wanted = members.get(id);
    if (wanted === undefined) continue;
    for (const family of [4, 6] as const) {
      const set = `${groupName(id)}_ip${family}`;
      const of = wanted.filter((a) => familyOf(a) === family);
      const found = sets.get(set);
      if (found === undefined && of.length === 0) continue;
      const lacking = of.filter((a) => !(found ?? []).some((f) => cidrContains(f, a)));
      if (lacking.length === 0) continue;
      differences.push({
        kind: 'address-set-stale',
        layer: 'southbound',
        table: 'Address_Set',
        object: `Address_Set ${set}`,
        summary: `The address set ${set}, which a rule of ${name} names as the other end, lacks ${setWords(lacking.slice(0, 4))}${lacking.length > 4 ? ` and ${lacking.length - 4} more` : ''}: packets of those members are dropped`,
        ordered: setWords(of.slice(0, 20)),
        found: found === undefined ? 'no such set' : setWords(found.slice(0, 20)),
        mends: [],
      });
    }
  }
  return differences;
}
