import type { ServiceName, ServiceState } from './layout.ts';

/**
 * The units a service may have, by distribution: the first set that is loaded is the one. A set with several units is one
 * service in parts (Debian runs Neutron's API and its RPC workers apart), and is as well as its worst part.
 */
export type UnitSets = readonly (readonly string[])[];

/** What one unit says of itself (systemctl(1), show). */
interface Unit {
  readonly id: string;
  readonly names: readonly string[];
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly pid: number;
  readonly since: string | undefined;
  readonly result: string;
  readonly command: string;
}

const properties = 'Id,Names,LoadState,ActiveState,SubState,MainPID,StateChangeTimestamp,Result,ExecStart';

const withSuffix = (unit: string): string => (/\.(?:service|socket)$/.test(unit) ? unit : `${unit}.service`);

/** One call for all units; those that do not exist answer `LoadState=not-found`. */
export function showUnits(units: readonly string[]): readonly [string, ...string[]] {
  return ['systemctl', 'show', '--no-pager', '-p', properties, '--', ...new Set(units.map(withSuffix))];
}

/** Abbreviations that mean one offset only, minutes east of UTC; CST, IST and BST do not. */
const zones: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  WET: 0,
  WEST: 60,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  JST: 540,
  KST: 540,
  AEST: 600,
  AEDT: 660,
  EST: -300,
  EDT: -240,
  CDT: -300,
  PST: -480,
  PDT: -420,
};

/** `Sat 2026-11-21 02:42:11 UTC` as ISO 8601; undefined where the zone's name does not tell its offset. */
export function timestamp(text: string): string | undefined {
  const match = /^\S{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? (\S+)$/.exec(text);
  if (match === null) return undefined;
  const zone = match[3] ?? '';
  const numeric = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  const minutes =
    numeric === null
      ? zones[zone]
      : (numeric[1] === '-' ? -1 : 1) * (Number(numeric[2]) * 60 + Number(numeric[3] ?? 0));
  if (minutes === undefined) return undefined;
  const at = Date.parse(`${match[1]}T${match[2]}Z`);
  return Number.isNaN(at) ? undefined : new Date(at - minutes * 60_000).toISOString();
}

/** Output of `showUnits`; blocks are parted by empty lines. Anything else in the output is passed over. */
export function parseUnits(stdout: string): readonly Unit[] {
  return stdout
    .split(/\n\s*\n/)
    .map((block) => {
      const fields = new Map<string, string>();
      for (const line of block.split('\n')) {
        const equals = line.indexOf('=');
        if (equals > 0) fields.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
      }
      return {
        id: fields.get('Id') ?? '',
        names: (fields.get('Names') ?? '').split(' '),
        load: fields.get('LoadState') ?? 'not-found',
        active: fields.get('ActiveState') ?? 'inactive',
        sub: fields.get('SubState') ?? 'dead',
        pid: Number(fields.get('MainPID') ?? 0),
        since: timestamp(fields.get('StateChangeTimestamp') ?? ''),
        result: fields.get('Result') ?? 'success',
        command: fields.get('ExecStart') ?? '',
      };
    })
    .filter((unit) => unit.id !== '');
}

function stateOf(unit: Unit): ServiceState['state'] {
  switch (unit.active) {
    case 'active':
    case 'reloading':
    case 'refreshing':
      return 'active';
    case 'failed':
      return 'failed';
    case 'activating':
      return 'activating';
    default:
      return 'inactive';
  }
}

const badness: Readonly<Record<ServiceState['state'], number>> = {
  active: 0,
  activating: 1,
  inactive: 2,
  failed: 3,
  absent: 4,
};

const bare = (unit: string): string => unit.replace(/\.service$/, '');

function describe(service: ServiceName, unit: Unit, socket: Unit | undefined): ServiceState {
  const listening = stateOf(unit) === 'inactive' && socket?.active === 'active';
  const words = [`${unit.active} (${unit.sub})`];
  if (unit.load === 'masked') words.push('masked');
  if (unit.result !== '' && unit.result !== 'success') words.push(`last result: ${unit.result}`);
  if (listening) words.push(`starts on demand: ${socket.id} is ${socket.active}`);
  return {
    service,
    unit: bare(unit.id),
    state: listening ? 'active' : stateOf(unit),
    ...(unit.pid > 0 ? { pid: unit.pid } : {}),
    ...(unit.since === undefined ? {} : { since: unit.since }),
    detail: words.join(', '),
  };
}

/** The state of one service among the units that were asked for. */
export function serviceState(service: ServiceName, sets: UnitSets, units: readonly Unit[]): ServiceState {
  const find = (name: string) => units.find((unit) => unit.id === name || unit.names.includes(name));
  const present = sets
    .map((set) => set.map((name) => find(withSuffix(name))).filter((unit) => unit !== undefined))
    .map((set) => set.filter((unit) => unit.load !== 'not-found'))
    .filter((set) => set.length > 0)
    .map((set) => set.map((unit) => describe(service, unit, find(unit.id.replace(/\.service$/, '.socket')))))
    .map((set) => set.reduce((worst, each) => (badness[each.state] > badness[worst.state] ? each : worst)));
  // Packages leave units behind that nothing starts (libvirtd next to virtqemud): one that runs is the one. A unit that has
  // done its work and is still active (ovn-host, openvswitch-switch) speaks for none beside it, nor does northd for a
  // database with a unit of its own.
  const chosen =
    (service.startsWith('ovn-ovsdb-server-') ? present[0] : undefined) ??
    present.find((each) => each.state === 'active' && !each.detail.startsWith('active (exited)')) ??
    present[0];
  return chosen ?? { service, unit: sets[0]?.[0] ?? service, state: 'absent', detail: 'no such unit on this node' };
}

/** Units of what is no part of OpenStack itself and looks alike whatever put OpenStack there. */
export const hostUnits = {
  libvirtd: [['libvirtd'], ['virtqemud'], ['libvirt-bin']],
  'ovs-vswitchd': [['ovs-vswitchd'], ['openvswitch-switch'], ['openvswitch']],
  'ovsdb-server': [['ovsdb-server'], ['openvswitch-switch'], ['openvswitch']],
  'ovn-controller': [['ovn-controller'], ['ovn-host']],
  'ovn-northd': [['ovn-northd'], ['ovn-central']],
  // Debian and Ubuntu run the databases apart; RDO's ovn-northd.service starts them with it (ovn-ctl, start_northd).
  'ovn-ovsdb-server-nb': [['ovn-ovsdb-server-nb'], ['ovn-northd']],
  'ovn-ovsdb-server-sb': [['ovn-ovsdb-server-sb'], ['ovn-northd']],
} satisfies Partial<Record<ServiceName, UnitSets>>;

/** Sockets that start a service on demand. */
export const sockets = (service: ServiceName): readonly string[] =>
  service === 'libvirtd' ? ['libvirtd.socket', 'virtqemud.socket'] : [];

/** Daemons that come with the distribution log there whatever put OpenStack on the node. */
export const hostLogs = {
  libvirtd: { kind: 'journal', unit: '*virt*d.service' },
  'ovs-vswitchd': { kind: 'files', paths: ['/var/log/openvswitch/ovs-vswitchd.log'] },
  'ovsdb-server': { kind: 'files', paths: ['/var/log/openvswitch/ovsdb-server.log'] },
  'ovn-controller': {
    kind: 'files',
    paths: ['/var/log/ovn/ovn-controller.log', '/var/log/openvswitch/ovn-controller.log'],
  },
  'ovn-northd': { kind: 'files', paths: ['/var/log/ovn/ovn-northd.log', '/var/log/openvswitch/ovn-northd.log'] },
  'ovn-ovsdb-server-nb': { kind: 'files', paths: ['/var/log/ovn/ovsdb-server-nb.log'] },
  'ovn-ovsdb-server-sb': { kind: 'files', paths: ['/var/log/ovn/ovsdb-server-sb.log'] },
} as const;
