import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

export interface Process {
  readonly pid: number;
  readonly ppid: number;
  /** Cut off with a `+` when it is long (`message+`). */
  readonly user: string;
  /** `2026-11-21T02:42:52`, on the node's clock and in the node's time zone, which ps does not print. */
  readonly startedAt: string;
  readonly args: string;
}

const WHAT = 'ps -ww -eo pid,ppid,user,lstart,args';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const ROW = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+[A-Z][a-z]{2}\s+([A-Z][a-z]{2})\s+(\d{1,2})\s+([\d:]{8})\s+(\d{4})\s(.*)$/;

/** Output of `LC_ALL=C ps -ww -eo pid,ppid,user,lstart,args`, with or without its head line. */
export function parseProcesses(stdout: string): Result<readonly Process[], ParseFailure> {
  const processes: Process[] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '' || /^\s*PID\s+PPID\s/.test(line)) continue;
    const row = ROW.exec(line);
    if (row === null) return parseFailure(WHAT, line);
    const [, pid, ppid, user = '', month = '', day = '', time = '', year = '', args = ''] = row;
    const number = MONTHS.indexOf(month) + 1;
    if (number === 0) return parseFailure(WHAT, line);
    processes.push({
      pid: Number(pid),
      ppid: Number(ppid),
      user,
      startedAt: `${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}T${time}`,
      args: args.trim(),
    });
  }
  return ok(processes);
}

function runs(process: Process, binary: string): boolean {
  const [program = ''] = process.args.split(/\s+/, 1);
  return program === binary || program.endsWith(`/${binary}`);
}

/** The dnsmasq that serves a network; Neutron puts the network's id in its `--dhcp-hostsfile` and `--pid-file`. */
export function dnsmasqOf(processes: readonly Process[], networkId: string): Process | undefined {
  return processes.find((process) => runs(process, 'dnsmasq') && process.args.includes(`/${networkId}/`));
}

/** The haproxy that proxies metadata for a router or a network: its configuration is named after that id. */
export function haproxyOf(processes: readonly Process[], routerOrNetworkId: string): Process | undefined {
  return processes.find((process) => runs(process, 'haproxy') && process.args.includes(`/${routerOrNetworkId}.conf`));
}

/** The keepalived of a highly available router (`…/ha_confs/<router>/keepalived.conf`). */
export function keepalivedOf(processes: readonly Process[], routerId: string): Process | undefined {
  return processes.find((process) => runs(process, 'keepalived') && process.args.includes(routerId));
}
