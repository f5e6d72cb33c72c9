import { err, ok, type Result } from '../engine/result.ts';
import { fullArgv, needsRoot } from './batch.ts';
import type { Command, CommandResult } from './command.ts';
import type { NodeFailure } from './nodes.ts';

/** Where a tool comes from: Debian and Ubuntu, then RHEL and its kin; one name when they agree. */
const packages: Readonly<Record<string, readonly [string, string]>> = {
  ip: ['iproute2', 'iproute'],
  bridge: ['iproute2', 'iproute'],
  tc: ['iproute2', 'iproute-tc'],
  ss: ['iproute2', 'iproute'],
  nstat: ['iproute2', 'iproute'],
  devlink: ['iproute2', 'iproute'],
  iptables: ['iptables', 'iptables-nft'],
  'iptables-save': ['iptables', 'iptables-nft'],
  ip6tables: ['iptables', 'iptables-nft'],
  'ip6tables-save': ['iptables', 'iptables-nft'],
  ebtables: ['ebtables', 'iptables-nft'],
  'ebtables-save': ['ebtables', 'iptables-nft'],
  nft: ['nftables', 'nftables'],
  ipset: ['ipset', 'ipset'],
  conntrack: ['conntrack', 'conntrack-tools'],
  tcpdump: ['tcpdump', 'tcpdump'],
  ethtool: ['ethtool', 'ethtool'],
  brctl: ['bridge-utils', 'bridge-utils'],
  ping: ['iputils-ping', 'iputils'],
  arping: ['iputils-arping', 'iputils'],
  tracepath: ['iputils-tracepath', 'iputils'],
  nc: ['netcat-openbsd', 'nmap-ncat'],
  curl: ['curl', 'curl'],
  dig: ['bind9-dnsutils', 'bind-utils'],
  sysctl: ['procps', 'procps-ng'],
  ps: ['procps', 'procps-ng'],
  lsof: ['lsof', 'lsof'],
  jq: ['jq', 'jq'],
  'ovs-vsctl': ['openvswitch-switch', 'openvswitch'],
  'ovs-ofctl': ['openvswitch-common', 'openvswitch'],
  'ovs-appctl': ['openvswitch-common', 'openvswitch'],
  'ovs-dpctl': ['openvswitch-common', 'openvswitch'],
  'ovsdb-client': ['openvswitch-common', 'openvswitch'],
  'ovn-nbctl': ['ovn-common', 'ovn'],
  'ovn-sbctl': ['ovn-common', 'ovn'],
  'ovn-trace': ['ovn-common', 'ovn'],
  'ovn-appctl': ['ovn-common', 'ovn'],
  virsh: ['libvirt-clients', 'libvirt-client'],
  'qemu-img': ['qemu-utils', 'qemu-img'],
  journalctl: ['systemd', 'systemd'],
  systemctl: ['systemd', 'systemd'],
  docker: ['docker.io', 'docker-ce-cli'],
  podman: ['podman', 'podman'],
  lldpctl: ['lldpd', 'lldpd'],
  ibstat: ['infiniband-diags', 'infiniband-diags'],
  ibv_devinfo: ['ibverbs-utils', 'libibverbs-utils'],
  mst: ['mft', 'mft'],
  timeout: ['coreutils', 'coreutils'],
  sudo: ['sudo', 'sudo'],
};

/** How to get a tool onto a node, as a sentence. */
export function packageHint(tool: string): string {
  const name = tool.split('/').at(-1) ?? tool;
  const known = packages[name];
  if (known === undefined) return `install the package that has ${name}`;
  const [debian, rpm] = known;
  return debian === rpm
    ? `install the package ${debian}`
    : `install the package ${debian} (Debian, Ubuntu) or ${rpm} (RHEL, Rocky, CentOS)`;
}

/** The tool that was not there, in the words of timeout(1), ip-netns(8), a shell, or a container runtime. */
function toolNotFound(command: Command, result: CommandResult): string | undefined {
  const { code, stderr } = result;
  const inNamespace = /^exec of "([^"\n]+)" failed: No such file or directory$/m.exec(stderr);
  if (inNamespace !== null && command.netns !== undefined) return inNamespace[1];
  if (code === 126 || code === 127) {
    const inContainer = /exec: "([^"\n]+)": executable file not found in \$PATH/.exec(stderr);
    if (inContainer !== null) return inContainer[1];
  }
  if (code !== 127) return undefined;
  const said =
    /^timeout: failed to run command ['‘]([^'’\n]+)['’]/m.exec(stderr) ??
    /^timeout: can't execute '([^'\n]+)'/m.exec(stderr) ??
    /^(?:\S+: )?(?:line )?\d+: (?:exec: )?([^\s:]+): (?:command )?not found$/m.exec(stderr) ??
    /^sudo: ([^\s:]+): command not found$/m.exec(stderr);
  return said?.[1];
}

/** What sudo says when it will not; with LC_ALL=C. sudo(8), plugins/sudoers/check.c and logging.c. */
const refusals: readonly RegExp[] = [
  /^sudo: a password is required$/m,
  /^sudo: a terminal is required to read the password/m,
  /^sudo: no tty present and no askpass program specified$/m,
  /^sudo: sorry, you must have a tty to run sudo$/m,
  /^(?:sudo: )?\S+ is not in the sudoers file/m,
  /^Sorry, user \S+ is not allowed to execute .*$/m,
  /^Sorry, user \S+ may not run sudo on .*$/m,
  /^sudo: account validation failure, is your account locked\?$/m,
  /^sudo: (?:effective uid is not 0|\S+ must be owned by uid 0|unable to .*)$/m,
  /^sudo: PAM (?:account management|authentication) error.*$/m,
];

/** A line for sudoers(5), as an operator would add it. */
function sudoFix(host: string, user: string | undefined, line: string): string {
  const who = user ?? '<user>';
  if (line.includes('must have a tty'))
    return `on ${host}: echo 'Defaults:${who} !requiretty' > /etc/sudoers.d/ostk-doctor, or --user root`;
  return `on ${host}: echo '${who} ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/ostk-doctor, or --user root`;
}

/**
 * Tells an answer of a command from "there was no such command" and "we were not let". Any other exit code is an
 * answer: what it means is known to whoever asked.
 */
export function judge(
  host: string,
  user: string | undefined,
  command: Command,
  result: CommandResult,
): Result<CommandResult, NodeFailure> {
  if (result.code === 0 || result.timedOut) return ok(result);
  const tool = toolNotFound(command, result);
  if (needsRoot(command)) {
    if (tool === 'sudo') {
      return err({
        kind: 'sudo',
        host,
        detail: 'sudo is not installed',
        fix: `install sudo on ${host}, or --user root`,
      });
    }
    for (const refusal of refusals) {
      const line = refusal.exec(result.stderr)?.[0];
      if (line !== undefined) return err({ kind: 'sudo', host, detail: line, fix: sudoFix(host, user, line) });
    }
  }
  if (tool !== undefined) {
    const contained = command.argv[0] === 'docker' || command.argv[0] === 'podman';
    const fix = contained && tool !== command.argv[0] ? `the container has no ${tool}` : packageHint(tool);
    return err({ kind: 'missing-tool', host, tool, fix: `on ${host}: ${fix}` });
  }
  return ok(result);
}

/** For messages: the command as the node ran it. */
export const commandLine = (command: Command): string => fullArgv(command).join(' ');
