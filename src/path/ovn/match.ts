/** The expression of an ACL as a flat conjunction, as Neutron writes them (common/ovn/acl.py): the order of its terms is of no account. */
export type Terms = ReadonlySet<string>;

/** Terms that say nothing: every address of the family. */
const empty = /^ip[46]\.(?:src|dst) == (?:0\.0\.0\.0\/0|::\/0)$/;

/** Undefined where it is no flat conjunction. */
export function termsOf(match: string): Terms | undefined {
  if (/\|\||!|[{}()]/.test(match)) return undefined;
  return new Set(
    match
      .split('&&')
      .map((term) =>
        term
          .trim()
          .replace(/\s*(==|<=|>=|<|>)\s*/g, ' $1 ')
          .replace(/\s+/g, ' '),
      )
      .filter((term) => term !== '' && !empty.test(term)),
  );
}

export function sameMatch(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [termsOf(a), termsOf(b)];
  return left !== undefined && right !== undefined && left.size === right.size && [...left].every((t) => right.has(t));
}

/** True unless the expression names ports and groups, and neither this port nor a group that it is in is among them. */
export function concerns(match: string, portId: string, groups: readonly string[]): boolean {
  const named = [...match.matchAll(/(?:in|out)port\s*==\s*(?:\{([^}]*)\}|("[^"]*"|@\w+))/g)].flatMap((m) =>
    (m[1] ?? m[2] ?? '').split(',').map((n) => n.trim()),
  );
  return (
    named.length === 0 || named.some((n) => n === `"${portId}"` || (n.startsWith('@') && groups.includes(n.slice(1))))
  );
}

/** Only packets of IP meet it; Neutron's own drop (priority 1001) does not see the others. */
export const isOfIp = (match: string): boolean =>
  /(?:^|&&|\()\s*(?:ip[46]?|tcp|udp|sctp|icmp[46]?|ip[46]?\.\w+\s*[=<>!]|(?:tcp|udp)\.\w+\s*[=<>!])/.test(match);
