import { ok, type Result } from '../../engine/result.ts';
import {
  decimal,
  isObject,
  type Json,
  jsonText,
  linesOf,
  looksLikeJson,
  numberAt,
  objectAt,
  objectsAt,
  type ParseFailure,
  parseFailure,
  present,
  readJson,
  textAt,
} from './parsing.ts';

export type NftVerdict = 'accept' | 'drop' | 'reject' | 'return' | 'continue' | 'queue' | 'jump' | 'goto';

export interface NftRule {
  /** ip, ip6, inet, arp, bridge, netdev. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** What `nft delete rule … handle` takes; absent in text made without `-a`. */
  readonly handle?: number;
  /** Absent when the rule has no counter: then it leaves no trace of what it did. */
  readonly packets?: number;
  readonly bytes?: number;
  readonly verdict?: NftVerdict;
  /** Chain of `jump` and `goto`. */
  readonly target?: string;
  /** The rule in nft's own words, without its numbers that change. */
  readonly expression: string;
  readonly comment?: string;
}

export interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** input, forward, prerouting, …; absent for a chain that others jump to. */
  readonly hook?: string;
  /** filter, nat, route. */
  readonly type?: string;
  readonly policy?: string;
  /** As printed: a number, or `filter - 5`. */
  readonly priority?: string;
  readonly rules: readonly NftRule[];
}

export interface NftTable {
  readonly family: string;
  readonly name: string;
  /** iptables-nft or ebtables-nft keeps its rules here: iptables-save shows them better, and they must not count twice. */
  readonly iptables: boolean;
  readonly chains: readonly NftChain[];
}

export interface NftRuleset {
  readonly tables: readonly NftTable[];
}

const WHAT = 'nft -j list ruleset';
const IPTABLES_TABLES = ['filter', 'nat', 'mangle', 'raw', 'security'];
const EBTABLES_TABLES = ['filter', 'nat', 'broute'];

function isIptables(family: string, name: string): boolean {
  if (family === 'ip' || family === 'ip6') return IPTABLES_TABLES.includes(name);
  return (family === 'bridge' && EBTABLES_TABLES.includes(name)) || (family === 'arp' && name === 'filter');
}

export function nftRules(ruleset: NftRuleset): readonly NftRule[] {
  return ruleset.tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules));
}

/** Output of `nft -j list ruleset`, or of `nft [-a] list ruleset` where nft was built without JSON. */
export function parseNft(stdout: string): Result<NftRuleset, ParseFailure> {
  return looksLikeJson(stdout) ? fromJson(stdout) : fromText(stdout);
}

/** Tables, chains and rules in the order in which they appear. */
class Ruleset {
  readonly #tables = new Map<string, { family: string; name: string; chains: Map<string, OpenChain> }>();

  table(family: string, name: string): { family: string; name: string; chains: Map<string, OpenChain> } {
    const key = `${family} ${name}`;
    const table = this.#tables.get(key) ?? { family, name, chains: new Map<string, OpenChain>() };
    this.#tables.set(key, table);
    return table;
  }

  chain(chain: Omit<NftChain, 'rules'>): OpenChain {
    const { chains } = this.table(chain.family, chain.table);
    const open = chains.get(chain.name) ?? { ...chain, rules: [] };
    chains.set(chain.name, open);
    return open;
  }

  get result(): NftRuleset {
    return {
      tables: [...this.#tables.values()].map(({ family, name, chains }) => ({
        family,
        name,
        iptables: isIptables(family, name),
        chains: [...chains.values()],
      })),
    };
  }
}

type OpenChain = Omit<NftChain, 'rules'> & { readonly rules: NftRule[] };

function fromJson(stdout: string): Result<NftRuleset, ParseFailure> {
  const parsed = readJson(WHAT, stdout);
  if (!parsed.ok) return parsed;
  if (!isObject(parsed.value) || !Array.isArray(parsed.value.nftables)) return parseFailure(WHAT, stdout);
  const ruleset = new Ruleset();
  for (const item of objectsAt(parsed.value, 'nftables')) {
    const table = objectAt(item, 'table');
    const chain = objectAt(item, 'chain');
    const rule = objectAt(item, 'rule');
    if (table !== undefined) ruleset.table(textAt(table, 'family') ?? '', textAt(table, 'name') ?? '');
    if (chain !== undefined) ruleset.chain(chainOf(chain));
    if (rule !== undefined) {
      const made = ruleOf(rule);
      ruleset.chain({ family: made.family, table: made.table, name: made.chain }).rules.push(made);
    }
  }
  return ok(ruleset.result);
}

function chainOf(chain: Json): Omit<NftChain, 'rules'> {
  const priority = numberAt(chain, 'prio');
  return present({
    family: textAt(chain, 'family') ?? '',
    table: textAt(chain, 'table') ?? '',
    name: textAt(chain, 'name') ?? '',
    hook: textAt(chain, 'hook'),
    type: textAt(chain, 'type'),
    policy: textAt(chain, 'policy'),
    priority: textAt(chain, 'prio') ?? (priority === undefined ? undefined : String(priority)),
  });
}

const VERDICTS: readonly NftVerdict[] = ['accept', 'drop', 'reject', 'return', 'continue', 'queue', 'jump', 'goto'];

function ruleOf(rule: Json): NftRule {
  const statements = objectsAt(rule, 'expr');
  const counter = statements.map((statement) => objectAt(statement, 'counter')).find((found) => found !== undefined);
  const last = statements.findLast((statement) => VERDICTS.some((verdict) => verdict in statement)) ?? {};
  const rejects = statements.some((statement) => textAt(objectAt(statement, 'xt') ?? {}, 'name') === 'REJECT');
  const verdict = VERDICTS.find((name) => name in last) ?? (rejects ? 'reject' : undefined);
  return present({
    family: textAt(rule, 'family') ?? '',
    table: textAt(rule, 'table') ?? '',
    chain: textAt(rule, 'chain') ?? '',
    handle: numberAt(rule, 'handle'),
    packets: numberAt(counter ?? {}, 'packets'),
    bytes: numberAt(counter ?? {}, 'bytes'),
    verdict,
    target: textAt(objectAt(last, verdict ?? '') ?? {}, 'target'),
    expression: statements.map(statementText).join(' '),
    comment: textAt(rule, 'comment'),
  });
}

const DEEPEST = 8;

/** A statement in nft's words (libnftables-json(5)); what has no words here stays JSON. */
function statementText(statement: Json): string {
  const match = objectAt(statement, 'match');
  if (match !== undefined) {
    const operator = textAt(match, 'op') ?? '==';
    const between = operator === '==' || operator === 'in' ? ' ' : ` ${operator} `;
    return `${valueText(match.left)}${between}${valueText(match.right)}`;
  }
  if ('counter' in statement) return 'counter';
  for (const verdict of VERDICTS) {
    if (!(verdict in statement)) continue;
    const about = objectAt(statement, verdict);
    const target = textAt(about ?? {}, 'target');
    if (verdict === 'reject' && about !== undefined)
      return `reject with ${valueText(about.type)} ${valueText(about.expr)}`;
    return target !== undefined
      ? `${verdict} ${target}`
      : about === undefined
        ? verdict
        : `${verdict} ${withText(about)}`;
  }
  const xt = objectAt(statement, 'xt');
  if (xt !== undefined) return `xt ${textAt(xt, 'type') ?? ''} ${textAt(xt, 'name') ?? ''}`.trim();
  const limit = objectAt(statement, 'limit');
  if (limit !== undefined) return `limit rate ${valueText(limit.rate)}/${valueText(limit.per)}`;
  const [[name, about] = ['', undefined]] = Object.entries(statement);
  return isObject(about) ? `${name} ${withText(about)}` : name;
}

function withText(about: Json): string {
  return Object.entries(about)
    .map(([key, value]) => `${key} ${valueText(value)}`)
    .join(' ');
}

function valueText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return /\s/.test(value) ? JSON.stringify(value) : value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (depth > DEEPEST) return '…';
  const inner = (part: unknown): string => valueText(part, depth + 1);
  if (Array.isArray(value)) return value.map(inner).join(',');
  if (!isObject(value)) return '';
  const payload = objectAt(value, 'payload');
  if (payload !== undefined)
    return [payload.protocol, payload.field]
      .filter((part) => part !== undefined)
      .map(inner)
      .join(' ');
  const meta = objectAt(value, 'meta');
  if (meta !== undefined) {
    const key = textAt(meta, 'key') ?? '';
    return /name$/.test(key) ? key : `meta ${key}`;
  }
  const ct = objectAt(value, 'ct');
  if (ct !== undefined) return `ct ${textAt(ct, 'key') ?? ''}`;
  const prefix = objectAt(value, 'prefix');
  if (prefix !== undefined) return `${inner(prefix.addr)}/${inner(prefix.len)}`;
  if (Array.isArray(value.range)) return value.range.map(inner).join('-');
  if (Array.isArray(value.set)) return `{ ${value.set.map(inner).join(', ')} }`;
  if (Array.isArray(value['&'])) return value['&'].map(inner).join(' & ');
  return jsonText(value).slice(0, 200);
}

function fromText(stdout: string): Result<NftRuleset, ParseFailure> {
  const ruleset = new Ruleset();
  let table: { family: string; name: string } | undefined;
  let chain: OpenChain | undefined;
  /** Depth inside a set, a map or another object of a table that is no chain. */
  let other = 0;
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const opened = /^table (\w+) (\S+) \{/.exec(text);
    if (table === undefined) {
      if (opened === null) return parseFailure(WHAT, line);
      table = ruleset.table(opened[1] ?? '', opened[2] ?? '');
      if (/\}\s*$/.test(text)) table = undefined;
    } else if (chain !== undefined) {
      if (text === '}') chain = undefined;
      else if (text.startsWith('type ')) chain = describeChain(ruleset, chain, text);
      else if (!/^(?:comment|devices?) /.test(text)) chain.rules.push(ruleOfText(chain, text));
    } else if (other > 0) {
      other += depthOf(text);
    } else if (text === '}') {
      table = undefined;
    } else {
      const name = /^chain (\S+) \{/.exec(text)?.[1];
      if (name !== undefined) chain = ruleset.chain({ family: table.family, table: table.name, name });
      else other += depthOf(text);
    }
  }
  return table === undefined ? ok(ruleset.result) : parseFailure(WHAT, `no } for table ${table.family} ${table.name}`);
}

function depthOf(text: string): number {
  const bare = text.replace(/"[^"]*"/g, '');
  return (bare.match(/\{/g)?.length ?? 0) - (bare.match(/\}/g)?.length ?? 0);
}

/** `type filter hook input priority filter - 5; policy accept;`, also with `device "eth1"` or `devices = { … }`. */
function describeChain(ruleset: Ruleset, chain: OpenChain, text: string): OpenChain {
  const matched = /^type (\w+) hook (\w+)(?: .*?)? priority ([^;]+);(?: policy (\w+);)?/.exec(text);
  const described: OpenChain = present({
    family: chain.family,
    table: chain.table,
    name: chain.name,
    hook: matched?.[2],
    type: matched?.[1],
    policy: matched?.[4],
    priority: matched?.[3],
    rules: chain.rules,
  });
  ruleset.table(chain.family, chain.table).chains.set(chain.name, described);
  return described;
}

function ruleOfText(chain: OpenChain, line: string): NftRule {
  const handle = decimal(/ # handle (\d+)$/.exec(line)?.[1]);
  const text = line.replace(/ # handle \d+$/, '');
  const counter = /\bcounter packets (\d+) bytes (\d+)/.exec(text);
  const comment = / comment "([^"]*)"$/.exec(text)?.[1];
  const expression = text
    .replace(/\bcounter packets \d+ bytes \d+/, 'counter')
    .replace(/ comment "[^"]*"$/, '')
    .replace(/\s+/g, ' ');
  const said = expression.replace(/"[^"]*"/g, '""');
  const jump = /\b(jump|goto) (\S+)$/.exec(said);
  const verdict = /\b(accept|drop|reject|return|continue|queue)\b(?: (?:with|num|flags|to) .*)?$/.exec(said);
  const name = jump?.[1] ?? verdict?.[1];
  return present({
    family: chain.family,
    table: chain.table,
    chain: chain.name,
    handle,
    packets: decimal(counter?.[1]),
    bytes: decimal(counter?.[2]),
    verdict: VERDICTS.find((known) => known === name),
    target: jump?.[2],
    expression,
    comment,
  });
}
