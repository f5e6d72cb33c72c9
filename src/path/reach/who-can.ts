import { cidrContains, type Family, formatCidr, parseCidr, sameCidr } from '../addresses.ts';
import type { MembersOf, PortSecurity, Probe, RuleRef, SecurityGroup } from '../secgroup/model.ts';
import { remoteGroupOf } from '../secgroup/rule.ts';
import { verdictOf } from '../secgroup/verdict.ts';
import { explainDeny } from '../secgroup/words.ts';

/** Some addresses that are let in, and every rule that lets them in. */
export interface LetIn {
  readonly family: Family;
  /** `0.0.0.0/0` or `::/0`: everybody. */
  readonly cidr: string;
  readonly by: readonly RuleRef[];
  /** Of those rules: the remote group that has the address as a member. */
  readonly memberOf?: string;
}

/** Who is let in, of one family. */
export interface WhoCan {
  readonly family: Family;
  /** exempt: no rule is asked. nobody: nothing is let in. */
  readonly extent: 'everybody' | 'some' | 'nobody' | 'not-known';
  /** Why, where no rule decides. */
  readonly because?: string;
  /** None contains another. */
  readonly sources: readonly LetIn[];
  /** Rules whose remote group nobody could tell the members of. */
  readonly open: readonly RuleRef[];
  /** Groups of the port whose rules are not known. */
  readonly unseenGroups: readonly string[];
}

type Wanted = Pick<Probe, 'protocol' | 'port' | 'sourcePort' | 'icmpType' | 'icmpCode'>;

const everywhere = (family: Family): string => (family === 4 ? '0.0.0.0/0' : '::/0');

/**
 * Which sources the groups of a port let in, by which rules. Each rule is asked by itself, through `verdictOf`, about the
 * remote that it names; so there is one opinion only of what a rule says.
 */
export function whoCan(
  wanted: Wanted,
  family: Family,
  port: PortSecurity,
  groups: readonly SecurityGroup[],
  membersOf: MembersOf,
): WhoCan {
  const none = { family, sources: [], open: [], unseenGroups: [] } as const;
  const probe = (remote: string): Probe => ({ ...wanted, family, direction: 'ingress', remote });
  const whole = verdictOf(probe(everywhere(family)), port, groups, membersOf);
  if (whole.kind === 'allowed' && whole.because === 'exempt') {
    const because =
      whole.exemption === 'port-security-off' ? 'port security is off' : `${whole.exemption} is always let in`;
    return { ...none, extent: 'everybody', because };
  }
  if (whole.kind === 'denied' && whole.because === 'no-group') {
    return { ...none, extent: 'nobody', because: 'the port has no security group while its port security is on' };
  }
  const own = port.groups.flatMap((id) => groups.find((g) => g.id === id) ?? []);
  const unseenGroups = port.groups.filter((id) => !own.some((g) => g.id === id));
  const found: LetIn[] = [];
  const open: RuleRef[] = [];
  for (const group of own) {
    for (const rule of group.rules) {
      const alone: SecurityGroup = { ...group, rules: [rule] };
      const ask = (remote: string) => verdictOf(probe(remote), { ...port, groups: [group.id] }, [alone], membersOf);
      const of: RuleRef = { group: { id: group.id, name: group.name }, rule };
      if (ask(everywhere(family)).kind === 'depends') {
        open.push(of);
        continue;
      }
      const remoteGroup = remoteGroupOf(rule);
      const named =
        remoteGroup === undefined ? [rule.remoteIpPrefix ?? everywhere(family)] : (membersOf(remoteGroup) ?? []);
      for (const text of named) {
        const cidr = parseCidr(text);
        if (cidr?.family !== family) continue;
        const verdict = ask(formatCidr(cidr));
        if (verdict.kind !== 'allowed' || verdict.extent !== 'whole') continue;
        found.push({
          family,
          cidr: formatCidr(cidr),
          by: [of],
          ...(remoteGroup === undefined ? {} : { memberOf: remoteGroup }),
        });
      }
    }
  }
  const sources = smallest(found);
  const all = sources.some((s) => parseCidr(s.cidr)?.prefix === 0);
  const dark = open.length > 0 || unseenGroups.length > 0;
  const extent: WhoCan['extent'] = all ? 'everybody' : sources.length > 0 ? 'some' : dark ? 'not-known' : 'nobody';
  const why =
    extent === 'nobody' && whole.kind === 'denied' ? { because: explainDeny(whole, probe(everywhere(family))) } : {};
  return { family, extent, ...why, sources, open: all ? [] : open, unseenGroups: all ? [] : unseenGroups };
}

/** Widest first, none inside another; what several rules let in names them all. */
function smallest(found: readonly LetIn[]): readonly LetIn[] {
  const widest = [...found].sort((a, b) => (parseCidr(a.cidr)?.prefix ?? 0) - (parseCidr(b.cidr)?.prefix ?? 0));
  const kept: LetIn[] = [];
  for (const one of widest) {
    const at = kept.findIndex((k) => sameCidr(k.cidr, one.cidr));
    const twin = kept[at];
    if (twin !== undefined) {
      const more = one.by.filter((ref) => !twin.by.some((known) => known.rule.id === ref.rule.id));
      kept[at] = { ...twin, by: [...twin.by, ...more] };
    } else if (!kept.some((k) => cidrContains(k.cidr, one.cidr))) kept.push(one);
  }
  return kept;
}
