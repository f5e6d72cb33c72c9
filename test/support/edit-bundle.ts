import { fileURLToPath } from 'node:url';
import { type Bundle, openBundle } from '../../src/bundle/open.ts';

const recorded = await openBundle(fileURLToPath(new URL('../../demo/healthy.tgz', import.meta.url)));
if (!recorded.ok) throw recorded.error;

/** One run of `net web-1` on a cloud without a fault; every other cloud here differs from it in one thing. */
export const healthy: Bundle = recorded.value;

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API, edited by hand
type Body = any;

/** The answers to what `path` matches, edited: `edit` changes the parsed body in place, or returns another one. */
export function editing(bundle: Bundle, path: string | RegExp, edit: (body: Body) => Body): Bundle {
  let met = 0;
  const api = bundle.api.map((record) => {
    const { pathname, search } = new URL(record.url);
    const asked = decodeURIComponent(`${pathname}${search}`);
    if (!(typeof path === 'string' ? asked.includes(path) : path.test(asked)) || !record.outcome.ok) return record;
    met += 1;
    const body: Body = JSON.parse(record.outcome.value.body);
    const value = { ...record.outcome.value, body: JSON.stringify(edit(body) ?? body) };
    return { ...record, outcome: { ok: true as const, value } };
  });
  if (met === 0) throw new Error(`nothing in ${bundle.file} was asked by ${String(path)}`);
  return { ...bundle, api };
}

/** The answers to what `path` matches, with another status and an OpenStack error in their body. */
export function refusing(bundle: Bundle, path: string, status: number, message: string): Bundle {
  let met = 0;
  const api = bundle.api.map((record) => {
    if (!record.url.includes(path) || !record.outcome.ok) return record;
    met += 1;
    const body = JSON.stringify({ error: { code: status, message } });
    return { ...record, outcome: { ok: true as const, value: { ...record.outcome.value, status, body } } };
  });
  if (met === 0) throw new Error(`nothing in ${bundle.file} was asked by ${path}`);
  return { ...bundle, api };
}

/** The one instance of the bundle. */
export const editingServer = (bundle: Bundle, edit: (server: Body) => void): Bundle =>
  editing(bundle, '/servers/detail?', (body) => {
    for (const server of body.servers) edit(server);
  });

/** Its only port, wherever it is told. */
export const editingPort = (bundle: Bundle, edit: (port: Body) => void): Bundle =>
  editing(bundle, `/ports?device_id=${instanceId}`, (body) => {
    for (const port of body.ports) edit(port);
  });

/** The same answer under another question, as the cloud would give it. */
export function alsoAsked(
  bundle: Bundle,
  path: string,
  asked: string,
  edit: (body: Body) => Body = (body) => body,
): Bundle {
  const model = bundle.api.find((record) => decodeURIComponent(record.url).includes(path));
  if (model?.outcome.ok !== true) throw new Error(`nothing in ${bundle.file} was asked by ${path}`);
  const { origin } = new URL(model.url);
  const body: Body = JSON.parse(model.outcome.value.body);
  const value = { ...model.outcome.value, body: JSON.stringify(edit(body) ?? body) };
  const url = `${origin}${asked}`;
  const others = bundle.api.filter((record) => record.url !== url);
  return { ...bundle, api: [...others, { ...model, url, outcome: { ok: true, value } }] };
}

const firstOf = (path: string, list: string): Body => {
  const record = healthy.api.find((each) => decodeURIComponent(each.url).includes(path));
  if (record?.outcome.ok !== true) throw new Error(`the healthy bundle has no ${path}`);
  return (JSON.parse(record.outcome.value.body) as Body)[list][0];
};

export const web1: Body = firstOf('/servers/detail?', 'servers');
export const instanceId: string = web1.id;
export const port1: Body = firstOf(`/ports?device_id=${instanceId}`, 'ports');
export const floating1: Body = firstOf('/floatingips?', 'floatingips');

/** What a command on a host printed, edited. `words` must occur in its words (with its namespace in front), in order. */
export function editingOutput(
  bundle: Bundle,
  host: string,
  words: string,
  edit: (stdout: string) => string,
  code?: number,
): Bundle {
  const there = bundle.hosts.get(host);
  if (there === undefined) throw new Error(`${bundle.file} has no host ${host}`);
  let met = 0;
  const commands = there.commands.map((record) => {
    const typed = [record.netns ?? '', ...record.argv, record.round ?? ''].join(' ').trim();
    if (!typed.includes(words) || !record.outcome.ok) return record;
    met += 1;
    const value = {
      ...record.outcome.value,
      stdout: edit(record.outcome.value.stdout),
      code: code ?? record.outcome.value.code,
    };
    return { ...record, outcome: { ok: true as const, value } };
  });
  if (met === 0) throw new Error(`nothing on ${host} in ${bundle.file} was run as ${words}`);
  return { ...bundle, hosts: new Map([...bundle.hosts, [host, { ...there, commands }]]) };
}

type Ran = NonNullable<ReturnType<Bundle['hosts']['get']>>['commands'][number];

/** With this record in the place of what the recording may hold for the same command in the same round. */
export function answering(bundle: Bundle, host: string, record: Ran): Bundle {
  const there = bundle.hosts.get(host);
  if (there === undefined) throw new Error(`${bundle.file} has no host ${host}`);
  const asked = (r: Ran): string => JSON.stringify([r.netns ?? '', r.argv, r.round ?? '']);
  const others = there.commands.filter((r) => asked(r) !== asked(record));
  return { ...bundle, hosts: new Map([...bundle.hosts, [host, { ...there, commands: [...others, record] }]]) };
}

/** The same command once more, in another round of the run (`before`, `after`, `again`, `underlay`), with its own output. */
export function repeating(
  bundle: Bundle,
  host: string,
  words: string,
  round: string,
  edit: (stdout: string) => string = (stdout) => stdout,
  argv?: readonly string[],
): Bundle {
  const there = bundle.hosts.get(host);
  const model = there?.commands.find(
    (record) => [record.netns ?? '', ...record.argv].join(' ').trim().includes(words) && record.round === undefined,
  );
  if (there === undefined || model?.outcome.ok !== true) throw new Error(`nothing on ${host} was run as ${words}`);
  const value = { ...model.outcome.value, stdout: edit(model.outcome.value.stdout) };
  const record = { ...model, round, argv: argv ?? model.argv, outcome: { ok: true as const, value } };
  return answering(bundle, host, record);
}

/** One more command that was run on a host, with what it printed. */
export function alsoRun(
  bundle: Bundle,
  host: string,
  command: { readonly argv: readonly string[]; readonly netns?: string; readonly round?: string },
  result: {
    readonly code: number | null;
    readonly stdout?: string;
    readonly stderr?: string;
    readonly timedOut?: boolean;
  },
): Bundle {
  const there = bundle.hosts.get(host);
  const model = there?.commands.find((record) => record.impact === 'probe' && record.outcome.ok);
  if (there === undefined || model?.outcome.ok !== true) throw new Error(`nothing on ${host} was sent`);
  const { netns: _, round: __, ...bare } = model;
  const value = { ...model.outcome.value, stdout: '', stderr: '', timedOut: false, ...result };
  const record = { ...bare, ...command, outcome: { ok: true as const, value } };
  return answering(bundle, host, record);
}

/** `systemctl show` of one unit, as it prints a stopped one. */
export const stoppedUnit = (bundle: Bundle, host: string, unit: string): Bundle =>
  editingOutput(bundle, host, 'systemctl show', (stdout) =>
    stdout
      .split('\n\n')
      .map((block) =>
        block.includes(`Id=${unit}.service`)
          ? block
              .replace(/ActiveState=.*/, 'ActiveState=inactive')
              .replace(/SubState=.*/, 'SubState=dead')
              .replace(/MainPID=.*/, 'MainPID=0')
          : block,
      )
      .join('\n\n'),
  );
