import { ok, type Result } from '../../engine/result.ts';
import { decimal, linesOf, type ParseFailure, present, wordAfter, wordsOf } from './parsing.ts';

export interface ConsoleLease {
  readonly address: string;
  /** The DHCP server that gave it, when the client prints that. */
  readonly server?: string;
  /** Prefix length, when the client prints it. */
  readonly prefix?: number;
  readonly router?: string;
  readonly dev?: string;
}

/** A row of cloud-init's device table. A device without an address has none. */
export interface ConsoleAddress {
  readonly dev: string;
  readonly up: boolean;
  readonly address?: string;
  readonly prefix?: number;
  readonly mac?: string;
}

/** A row of cloud-init's route table. */
export interface ConsoleRoute {
  /** `default`, an address or a prefix. */
  readonly destination: string;
  readonly gateway?: string;
  readonly dev: string;
}

export type MetadataFailure = 'network-unreachable' | 'no-route' | 'timeout' | 'refused' | 'status' | 'other';

export type ConsoleMetadata =
  | { readonly outcome: 'ok'; readonly url?: string }
  | {
      readonly outcome: 'failed';
      readonly url?: string;
      readonly reason: MetadataFailure;
      /** HTTP status, with reason `status`. */
      readonly status?: number;
      /** The last line that says so. */
      readonly text: string;
      /** It stopped asking. */
      readonly gaveUp: boolean;
    };

export interface ConsoleCloudInit {
  readonly version: string;
  /** The last stage it reported: `init-local`, `init`, `modules:config`, `modules:final`, `finished`. */
  readonly stage: string;
  /** Seconds after boot at which the last stage began or it finished. */
  readonly upSeconds?: number;
  /** `DataSourceOpenStack [net,ver=2]`, `DataSourceNone`, …; printed when it has finished. */
  readonly datasource?: string;
}

/** What an instance's console says of its last boot. Texts are lines of the guest, without control sequences. */
export interface ConsoleLog {
  /** Nothing at all on the console: off, not begun, or no serial console in the image. */
  readonly empty: boolean;
  /** The last lease. */
  readonly lease?: ConsoleLease;
  /** A DHCP client gave up after the last lease, or without any. */
  readonly noLease: boolean;
  /** The last device table: one before DHCP shows a NIC without an address, and is normal. */
  readonly addresses: readonly ConsoleAddress[];
  readonly routes: readonly ConsoleRoute[];
  readonly metadata?: ConsoleMetadata;
  readonly cloudInit?: ConsoleCloudInit;
  readonly kernelPanic?: string;
  readonly noRootDevice?: string;
  readonly noBootableDevice?: string;
  readonly emergencyMode?: string;
  readonly outOfMemory?: string;
  readonly loginPrompt: boolean;
  /** Public host keys as cloud-init prints them: type and key. */
  readonly sshHostKeys: readonly string[];
}

/** Escape sequences (CSI, OSC, two-character) and other control characters that a serial console carries. */
const CONTROL =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const LONGEST_LINE = 4000;
/** Time of the kernel, and the unit that speaks: `[   17.891523] cloud-init[791]: `. */
const PREFIX = /^(?:\[\s*\d+\.\d+\] )?(?:[\w.@-]+\[\d+\]: )?/;

/** The console log of an instance (`openstack console log show`). Any text is a console log. */
export function parseConsoleLog(stdout: string): Result<ConsoleLog, ParseFailure> {
  const all = linesOf(stdout).map((line) => line.slice(0, LONGEST_LINE).replace(CONTROL, '').trimEnd());
  const lines = lastBoot(all).map((line) => line.replace(PREFIX, ''));
  const find = (pattern: RegExp): string | undefined => lines.findLast((line) => pattern.test(line))?.trim();
  const leases = leasesOf(lines);
  const tables = tablesOf(lines);
  const cloudInit = cloudInitOf(lines);
  return ok(
    present({
      empty: all.every((line) => line === ''),
      lease: leases.lease,
      noLease: leases.noLease,
      addresses: tables.addresses,
      routes: tables.routes,
      metadata: metadataOf(lines, cloudInit),
      cloudInit,
      kernelPanic: find(/Kernel panic - not syncing/),
      noRootDevice: find(
        /unable to mount root fs|gave up waiting for root|ALERT! .* does not exist|dracut-initqueue.*timeout/i,
      ),
      noBootableDevice: find(/no bootable (?:device|medium)|boot failed: not a bootable disk|grub rescue>/i),
      emergencyMode: find(/you are in emergency mode|entering emergency mode/i),
      outOfMemory: find(/out of memory: kill/i),
      loginPrompt: lines.some((line) => /^\S+ login:/.test(line)),
      sshHostKeys: hostKeysOf(lines),
    }),
  );
}

/** A log can hold several boots: each begins with its firmware, or with the kernel where the firmware is silent. */
function lastBoot(lines: readonly string[]): readonly string[] {
  let start = 0;
  let kernel = false;
  for (const [at, line] of lines.entries()) {
    if (/^SeaBIOS \(|^BdsDxe: (?:loading|starting) Boot/.test(line)) {
      if (kernel) start = at;
      kernel = false;
    } else if (/^\[\s*0\.0+\] Linux version \d/.test(line)) {
      if (kernel) start = at;
      kernel = true;
    }
  }
  return lines.slice(start);
}

const IP = '(\\d{1,3}(?:\\.\\d{1,3}){3})';
const LEASED: readonly { readonly pattern: RegExp; readonly groups: readonly (keyof ConsoleLease)[] }[] = [
  // BusyBox udhcpc: `udhcpc: lease of 10.0.0.6 obtained from 10.0.0.2, lease time 86400`; older: `Lease of … obtained`.
  { pattern: new RegExp(`[Ll]ease of ${IP} obtained(?: from ${IP})?`), groups: ['address', 'server'] },
  // ISC dhclient: `DHCPACK of 10.0.0.6 from 10.0.0.2`, then `bound to 10.0.0.6 -- renewal in …`.
  { pattern: new RegExp(`DHCPACK of ${IP} from ${IP}`), groups: ['address', 'server'] },
  { pattern: new RegExp(`bound to ${IP}`), groups: ['address'] },
  // systemd-networkd: `eth0: DHCPv4 address 10.0.0.6/24, gateway 10.0.0.1 acquired from 10.0.0.2`; older: `… via 10.0.0.1`.
  {
    pattern: new RegExp(`(\\S+): DHCPv4 address ${IP}/(\\d+)(?:,? (?:gateway|via) ${IP})?(?: acquired from ${IP})?`),
    groups: ['dev', 'address', 'prefix', 'router', 'server'],
  },
  // dhcpcd: `eth0: leased 10.0.0.6 for 86400 seconds`.
  { pattern: new RegExp(`(\\S+): leased ${IP} for `), groups: ['dev', 'address'] },
  // cloud-init's own client: `Received dhcp lease on eth0 for 10.0.0.6/255.255.255.0`.
  { pattern: new RegExp(`Received dhcp lease on (\\S+) for ${IP}/(\\S+)`), groups: ['dev', 'address', 'prefix'] },
  // NetworkManager: `dhcp4 (eth0): state changed new lease, address=10.0.0.6`.
  { pattern: new RegExp(`dhcp4 \\((\\S+)\\): .*address=${IP}`), groups: ['dev', 'address'] },
];
const NOT_LEASED =
  /[Nn]o lease, (?:failing|forking to background)|udhcpc: no lease|No DHCPOFFERS received|No working leases in persistent database|dhcp4 \(\S+\): request timed out|IP-Config: no response after/;

function leasesOf(lines: readonly string[]): { readonly lease?: ConsoleLease; readonly noLease: boolean } {
  let lease: ConsoleLease | undefined;
  let noLease = false;
  for (const line of lines) {
    if (NOT_LEASED.test(line)) noLease = true;
    const found = leaseOf(line);
    if (found === undefined) continue;
    lease = found.address === lease?.address ? { ...lease, ...found } : found;
    noLease = false;
  }
  return present({ lease, noLease });
}

function leaseOf(line: string): ConsoleLease | undefined {
  for (const { pattern, groups } of LEASED) {
    const matched = pattern.exec(line);
    if (matched === null) continue;
    const group = (key: keyof ConsoleLease): string | undefined => {
      const at = groups.indexOf(key);
      return at < 0 ? undefined : matched[at + 1];
    };
    const address = group('address');
    if (address === undefined) continue;
    return present({
      address,
      server: group('server'),
      prefix: prefixOf(group('prefix')),
      router: group('router') ?? new RegExp(`\\brouter ${IP}`).exec(line)?.[1],
      dev: group('dev'),
    });
  }
  return undefined;
}

/** `24` or `255.255.255.0`. */
function prefixOf(text: string | undefined): number | undefined {
  const plain = decimal(text);
  if (plain !== undefined) return plain <= 128 ? plain : undefined;
  const octets = text?.split('.').map(Number) ?? [];
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255))
    return undefined;
  const bits = octets.map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

/**
 * cloud-init's tables, drawn with `|` and a head line that names the columns, which differ between releases; the
 * route table's heading may say that it failed, which before DHCP is normal. Small images print `ip addr` and
 * `ip route` in their place.
 */
function tablesOf(lines: readonly string[]): {
  readonly addresses: readonly ConsoleAddress[];
  readonly routes: readonly ConsoleRoute[];
} {
  let addresses: ConsoleAddress[] = [];
  let routes: ConsoleRoute[] = [];
  let columns: readonly string[] = [];
  let device = { dev: '', up: false };
  for (const line of lines) {
    if (/\+{3,}\s*Net device info\s*\+{3,}/.test(line)) {
      addresses = [];
      routes = [];
      columns = [];
    }
    const text = /ci-info: (.*)$/.exec(line)?.[1];
    if (text === undefined) continue;
    const cells = text.startsWith('|')
      ? text
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim())
      : [];
    const cell = (name: string): string | undefined => given(cells[columns.indexOf(name)]);
    const [dev, destination, toDev] = [cell('Device'), cell('Destination'), cell('Interface')];
    if (cells.includes('Device') || cells.includes('Route') || cells.includes('Keytype')) {
      columns = cells;
    } else if (dev !== undefined) {
      const [address, length] = (cell('Address') ?? '').split('/');
      addresses.push(
        present({
          dev: dev.replace(/:$/, ''),
          up: cell('Up') === 'True',
          address: given(address),
          prefix: prefixOf(length ?? cell('Mask')),
          mac: cell('Hw-Address'),
        }),
      );
    } else if (destination !== undefined && toDev !== undefined) {
      routes.push(routeOf(destination, cell('Gateway'), cell('Genmask'), toDev));
    } else if (cells.length === 0) {
      const words = wordsOf(text);
      const link = /^\d+: ([^@\s]+?)(?:@\S+)?: <([^>]*)>/.exec(text);
      if (link !== null) {
        device = { dev: link[1] ?? '', up: (link[2] ?? '').split(',').includes('UP') };
      } else if (words[0] === 'inet' || words[0] === 'inet6') {
        const [address, length] = (words[1] ?? '').split('/');
        addresses.push(present({ ...device, address: given(address), prefix: prefixOf(length) }));
      } else if (/^(?:default|[\da-f.:]+(?:\/\d+)?)$/i.test(words[0] ?? '') && words.includes('dev')) {
        const to = wordAfter(words, 'dev') ?? '';
        routes.push(present({ destination: words[0] ?? '', gateway: wordAfter(words, 'via'), dev: to }));
      }
    }
  }
  return { addresses, routes };
}

/** cloud-init writes `.` or `-` for what is not there. */
function given(cell: string | undefined): string | undefined {
  return cell === undefined || cell === '' || cell === '.' || cell === '-' ? undefined : cell;
}

function routeOf(
  destination: string,
  gateway: string | undefined,
  mask: string | undefined,
  dev: string,
): ConsoleRoute {
  const prefix = prefixOf(mask);
  const plain = destination.includes('/') || prefix === undefined ? destination : `${destination}/${prefix}`;
  const direct = gateway === undefined || gateway === '0.0.0.0' || gateway === '::';
  return present({
    destination: /^(?:0\.0\.0\.0|::)\/0$/.test(plain) ? 'default' : plain.replace(/\/32$/, ''),
    gateway: direct ? undefined : gateway,
    dev,
  });
}

function cloudInitOf(lines: readonly string[]): ConsoleCloudInit | undefined {
  let found: ConsoleCloudInit | undefined;
  for (const line of lines) {
    const matched = /Cloud-init v\. (\S+) (?:running '([\w:-]+)'|(finished)) at (.*)$/.exec(line);
    if (matched === null) continue;
    const [, version = '', running, finished, rest = ''] = matched;
    const up = /\bup (\d+(?:\.\d+)?) seconds/i.exec(rest)?.[1];
    const datasource = /Datasource (\S+(?: (?:\[[^\]]*\])+)?)/.exec(rest)?.[1];
    found = present({
      version,
      stage: running ?? finished ?? '',
      upSeconds: up === undefined ? undefined : Number(up),
      datasource: datasource?.replace(/\.$/, ''),
    });
  }
  return found;
}

const METADATA_URL = /https?:\/\/(?:169\.254\.169\.254|\[fe80::a9fe:a9fe[^\]]*\])[^\s'"\])]*/;

const GAVE_UP = /Giving up on (?:OpenStack )?md from|failed to read iid from metadata|Timed out, no response from urls/;

/** The last word on metadata: attempts fail before one succeeds. */
function metadataOf(lines: readonly string[], cloudInit: ConsoleCloudInit | undefined): ConsoleMetadata | undefined {
  let last: ConsoleMetadata | undefined;
  for (const line of lines) {
    const url = METADATA_URL.exec(line)?.[0];
    if (/^successful after \d+\/\d+ tries: up |DataSourceOpenStack: instance-id: /.test(line)) {
      last = present({ outcome: 'ok', url: last?.url });
      continue;
    }
    if (GAVE_UP.test(line)) {
      last =
        last?.outcome === 'failed'
          ? { ...last, gaveUp: true }
          : present({ outcome: 'failed', url, reason: 'other', text: line.trim(), gaveUp: true });
      continue;
    }
    if (
      (/url_helper\.py/.test(line) && /\bfailed \[/.test(line)) ||
      /^failed \d+\/\d+: up .* request failed/.test(line)
    ) {
      last = present({ outcome: 'failed', url: url ?? last?.url, ...reasonOf(line), text: line.trim(), gaveUp: false });
    }
  }
  const datasource = cloudInit?.datasource;
  if (last === undefined && datasource !== undefined && /OpenStack|Ec2/.test(datasource)) return { outcome: 'ok' };
  if (last?.outcome === 'failed' && datasource !== undefined && /OpenStack|Ec2/.test(datasource)) {
    return present({ outcome: 'ok', url: last.url });
  }
  return last;
}

function reasonOf(line: string): { readonly reason: MetadataFailure; readonly status?: number } {
  const status = decimal(
    /(?:bad status code|empty response) \[(\d{3})\]/.exec(line)?.[1] ?? /HTTP\/1\.[01] (\d{3})/.exec(line)?.[1],
  );
  if (status !== undefined) return { reason: 'status', status };
  if (/network is unreachable|errno 101|error\(101/i.test(line)) return { reason: 'network-unreachable' };
  if (/no route to host|errno 113|error\(113/i.test(line)) return { reason: 'no-route' };
  if (/connection refused|errno 111/i.test(line)) return { reason: 'refused' };
  // A client that is stopped while it waits has nothing to say.
  if (/timed out|timeout|\]:\s*$/i.test(line)) return { reason: 'timeout' };
  return { reason: 'other' };
}

function hostKeysOf(lines: readonly string[]): readonly string[] {
  const start = lines.findLastIndex((line) => line.includes('-----BEGIN SSH HOST KEY KEYS-----'));
  if (start < 0) return [];
  const keys: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (line.includes('-----END SSH HOST KEY KEYS-----')) break;
    const key = /\b((?:ssh|ecdsa|sk)-[\w@.-]+ [\w+/=]+)/.exec(line)?.[1];
    if (key !== undefined) keys.push(key);
  }
  return keys;
}
