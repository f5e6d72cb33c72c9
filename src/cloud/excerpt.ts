const maxLength = 400;
const maxNested = 120;

/** Never shown, wherever they stand in an answer. `metadata` is free text of users and holds passwords often enough. */
const secret =
  /pass(word|code|wd)?$|^admin_?pass|secret|token|credential|user_?data$|^metadata$|personality|private|key_data|injected|authorization/i;

/** Fields an operator looks at first; the others follow in the order of the answer. */
const first = [
  'id',
  'name',
  'status',
  'OS-EXT-STS:vm_state',
  'OS-EXT-STS:task_state',
  'OS-EXT-STS:power_state',
  'fault',
  'OS-EXT-SRV-ATTR:host',
  'host',
  'binary',
  'agent_type',
  'state',
  'alive',
  'admin_state_up',
  'heartbeat_timestamp',
  'binding:host_id',
  'binding:vif_type',
  'binding:vnic_type',
  'device_owner',
  'mac_address',
  'fixed_ips',
  'device_id',
  'network_id',
] as const;

/**
 * A few fields of an answer as compact JSON of at most 400 characters, free of secrets and control characters:
 * what a stranger needs to recognise the thing, not the whole document.
 */
export function excerptOf(body: unknown): string {
  if (body === null || typeof body !== 'object') return clean(JSON.stringify(body) ?? '').slice(0, maxLength);
  const [only, ...more] = Object.entries(body).filter(([key]) => !/_links$|^links$|^schema$|^first$|^next$/.test(key));
  if (only === undefined) return '{}';
  const [key, value] = only;
  if (Array.isArray(value)) return listExcerpt(key, value);
  if (more.length === 0 && value !== null && typeof value === 'object') return packed(fields(value as Fields));
  return packed(fields(body as Fields));
}

type Fields = Readonly<Record<string, unknown>>;

function listExcerpt(key: string, items: readonly unknown[]): string {
  const head = `{${JSON.stringify(key)}:${items.length}`;
  const shown: string[] = [];
  let length = head.length + 12;
  for (const item of items) {
    const text = clean(JSON.stringify(brief(item)));
    if (length + text.length + 1 > maxLength) break;
    shown.push(text);
    length += text.length + 1;
  }
  return shown.length === 0 ? `${head}}` : `${head},"of":[${shown.join(',')}]}`;
}

function brief(item: unknown): unknown {
  if (item === null || typeof item !== 'object') return item;
  const plain = fields(item as Fields).filter(([, value]) => value === null || typeof value !== 'object');
  return Object.fromEntries(plain.slice(0, 5));
}

function fields(of: Fields): readonly (readonly [string, unknown])[] {
  const names = [
    ...first.filter((name) => name in of),
    ...Object.keys(of).filter((name) => !(first as readonly string[]).includes(name)),
  ];
  return names
    .filter((name) => !secret.test(name) && name !== 'links')
    .map((name) => [name, strip(of[name])] as const)
    .filter(([, value]) => value !== undefined);
}

/** Nested values stay when they are small and hold no secret. */
function strip(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const text = JSON.stringify(value, (key, inner) => (key !== '' && secret.test(key) ? undefined : inner));
  return text.length <= maxNested ? JSON.parse(text) : undefined;
}

function packed(pairs: readonly (readonly [string, unknown])[]): string {
  let text = '';
  for (const [key, value] of pairs) {
    const part = clean(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    if (text.length + part.length + 3 > maxLength) continue;
    text += text === '' ? part : `,${part}`;
  }
  return `{${text}}`;
}

/** JSON escapes C0; C1 and the marks that turn the direction of text do not belong on a terminal either. */
const clean = (text: string): string => text.replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
