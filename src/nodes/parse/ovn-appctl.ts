/** `cluster/status` of a clustered database (ovsdb-server(1), CLUSTERED DATABASE COMMANDS). */
export interface ClusterStatus {
  readonly name: string;
  /** leader, follower, candidate; as it is printed. */
  readonly role: string;
  /** `self`, a server's short id, or `unknown`. */
  readonly leader: string;
  /** `cluster member`, `joining cluster`, `disconnected from the cluster …`. */
  readonly status: string;
  readonly term: number;
  readonly servers: readonly { readonly id: string; readonly address: string; readonly lastHeardMs?: number }[];
}

/** Output of `ovn-appctl -t …/ovnsb_db.ctl cluster/status OVN_Southbound`. */
export function parseClusterStatus(stdout: string): ClusterStatus {
  const word = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stdout)?.[1]?.trim() ?? '';
  const servers = [...stdout.matchAll(/^\s+(\S+) \((?:\S+) at ((?:tcp|ssl):[^)]+)\)(.*)$/gm)].map((m) => {
    const heard = /last msg (\d+) ms ago/.exec(m[3] ?? '')?.[1];
    return { id: m[1] ?? '', address: m[2] ?? '', ...(heard === undefined ? {} : { lastHeardMs: Number(heard) }) };
  });
  return {
    name: word('Name'),
    role: word('Role'),
    leader: word('Leader'),
    status: word('Status'),
    term: Number(word('Term') || 0),
    servers,
  };
}

/** What a daemon of OVN's wrote last: `TIME|NUMBER|MODULE(thread)|LEVEL|message` (vlog(3)). */
export interface VlogLine {
  readonly at: string;
  readonly module: string;
  readonly level: string;
  readonly message: string;
}

/** Lines of a log of Open vSwitch's and OVN's daemons; others are passed over. */
export const parseVlog = (text: string): readonly VlogLine[] =>
  text.split('\n').flatMap((line): VlogLine[] => {
    const match = /^(\d{4}-\d\d-\d\dT[\d:.]+Z?)\|\d+\|([^|(]+)(?:\([^|]*\))?\|(\w+)\|(.*)$/.exec(line);
    if (match === null) return [];
    return [{ at: match[1] ?? '', module: match[2] ?? '', level: match[3] ?? '', message: match[4] ?? '' }];
  });
