import type { MembersOf, Miss, Probe, RuleRef, SecurityGroup, SecurityGroupRule } from './model.ts';
import { overlaps } from './rectangle.ts';
import { familyOfRule, portsOf, protocolNumber, refsOf, remoteGroupOf, spaceOfProbe, speaksOf } from './rule.ts';

const NEAREST: readonly Miss['by'][] = [
  'remote',
  'empty-remote-group',
  'ethertype',
  'port',
  'protocol',
  'direction',
  'group-without-rules',
];

/** What the rules of a port's groups come near to letting through, nearest first. */
export function missesOf(probe: Probe, own: readonly SecurityGroup[], membersOf: MembersOf): readonly Miss[] {
  const asked = spaceOfProbe(probe);
  const misses: Miss[] = [];
  for (const of of refsOf(own)) {
    const { rule } = of;
    const sameDirection = rule.direction === probe.direction;
    const sameFamily = familyOfRule(rule) === probe.family;
    const sameProtocol = speaksOf(rule, probe);
    const samePort = overlaps(portsOf(rule), asked.ports);
    // A rule for everything out is no near miss of something in.
    const specific = protocolNumber(rule.protocol, familyOfRule(rule)) !== 'any';
    if (sameDirection && sameFamily && sameProtocol && samePort) misses.push(remoteMiss(of, membersOf));
    else if (sameDirection && sameFamily && sameProtocol) misses.push({ by: 'port', of });
    else if (sameDirection && !sameFamily && sameProtocol && samePort) misses.push({ by: 'ethertype', of });
    else if (sameDirection && sameFamily && !sameProtocol && sharesPortNumber(rule, probe)) {
      misses.push({ by: 'protocol', of });
    } else if (!sameDirection && sameFamily && sameProtocol && samePort && specific) {
      misses.push({ by: 'direction', of });
    }
  }
  for (const group of own) {
    if (!group.rules.some((rule) => rule.direction === probe.direction)) {
      misses.push({ by: 'group-without-rules', group: { id: group.id, name: group.name } });
    }
  }
  return misses.sort((a, b) => NEAREST.indexOf(a.by) - NEAREST.indexOf(b.by));
}

/** tcp/53 for udp/53: the right number under the wrong protocol. */
function sharesPortNumber(rule: SecurityGroupRule, probe: Probe): boolean {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  if (probe.port === undefined || (number !== 6 && number !== 17)) return false;
  return rule.portMin !== null && rule.portMin <= probe.port && probe.port <= (rule.portMax ?? rule.portMin);
}

function remoteMiss(of: RuleRef, membersOf: MembersOf): Miss {
  const groupId = remoteGroupOf(of.rule);
  if (groupId !== undefined && membersOf(groupId)?.length === 0) {
    return { by: 'empty-remote-group', of, remoteGroupId: groupId };
  }
  return { by: 'remote', of, allows: groupId === undefined ? (of.rule.remoteIpPrefix ?? 'anywhere') : groupId };
}
