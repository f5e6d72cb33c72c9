import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { cloudChecks, instanceChecks, portChecks } from '../../src/checks/registry.ts';
import { storedRequest } from '../../src/commands/stored-request.ts';
import { runOptionsOf } from '../../src/commands/walk-options.ts';
import type { Check } from '../../src/engine/check.ts';
import { FactStore } from '../../src/engine/fact.ts';
import type { Io } from '../../src/facts/io.ts';
import { linesAbout } from '../../src/facts/schedule/said.ts';
import { theCloud } from '../../src/facts/subject.ts';
import { openReplay } from '../../src/run/doors.ts';
import { resolvePeer } from '../../src/run/endpoint.ts';
import { resolveTarget } from '../../src/run/target.ts';
import { editing, editingPort, editingServer, healthy } from '../support/edit-bundle.ts';
import { bundleAt } from '../support/replayed.ts';
import { connecting } from './cases.ts';
import { askedCases } from './cases-asked.ts';

const under = (folder: string): string[] =>
  readdirSync(fileURLToPath(new URL(`../../${folder}/`, import.meta.url)))
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => `${folder}/${file}`);

const recorded: readonly Bundle[] = await Promise.all(
  [...under('demo'), ...under('test/fixtures/bundles')].map(bundleAt),
);

/** Clouds in which checks look further than they do where all is well. */
const edited: readonly Bundle[] = [
  editingPort(healthy, (port) => {
    port['binding:vif_type'] = 'binding_failed';
  }),
  editingServer(healthy, (server) => {
    server.status = 'ERROR';
    server.fault = { message: 'broken', code: 500 };
  }),
  editingServer(healthy, (server) => {
    server.status = 'UNKNOWN';
  }),
  editing(healthy, '/v2.0/agents', (body) => {
    for (const agent of body.agents) agent.alive = false;
  }),
  editing(healthy, '/os-services', (body) => {
    for (const service of body.services) service.state = 'down';
  }),
  connecting(80, { code: null, timedOut: true }),
  ...askedCases.map(({ bundle, options }) => {
    const made = bundle();
    const request = { ...storedRequest(made), options };
    return { ...made, manifest: { ...made.manifest, request } };
  }),
];

/** The names of facts that each check really looked at, over all these clouds. */
async function readsOf(bundles: readonly Bundle[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const reads = new Map<string, Set<string>>();
  for (const bundle of bundles) {
    const { verb, target: named, options } = storedRequest(bundle);
    const door = openReplay(bundle, runOptionsOf({ ...options, probe: ['tcp/80', 'icmp'], from: '10.0.0.9' }));
    const now = door.io.clock.now();
    const isQuestion = verb === 'schedule' && named === undefined;
    const target = isQuestion ? undefined : await resolveTarget(door.cloud, named ?? 'web-1', true, () => {});
    if (target?.kind === 'port') throw new Error('no instance');
    const { to } = door.io.options;
    const peer =
      to === undefined || target === undefined
        ? undefined
        : await resolvePeer(door.cloud, to, Promise.resolve(target), () => {});
    const store = new FactStore<Io>(peer === undefined ? door.io : { ...door.io, peer });
    const run = async <S>(check: Check<Io, S>, subject: S): Promise<void> => {
      const read = reads.get(check.id) ?? new Set<string>();
      reads.set(check.id, read);
      await check.run(subject, store, now, read);
    };
    for (const check of cloudChecks) if (check.id !== 'schedule.fits' || isQuestion) await run(check, theCloud);
    if (target === undefined) {
      await door.close();
      continue;
    }
    for (const check of instanceChecks) await run(check, target.instance);
    for (const port of target.ports) for (const check of portChecks) await run(check, port);
    await door.close();
  }
  return reads;
}

describe('what a check declares', () => {
  it('is what it reads: nothing is asked of a cloud for nobody', async () => {
    const reads = await readsOf([...recorded, ...edited]);
    const unread = [...cloudChecks, ...instanceChecks, ...portChecks].flatMap((check) =>
      [...check.declared.needs, ...check.declared.optional]
        .filter((key) => reads.get(check.id)?.has(key) !== true)
        .map((key) => `${check.id}: ${key}`),
    );
    expect(unread).toEqual([]);
  });
});

/** Every command of one call to ovn-nbctl or ovn-sbctl only looks (ovn-nbctl(8), Database Commands), perhaps after a pause. */
const asksOvn = (line: string): boolean => {
  const call =
    /^(?:sh -c sleep "\$0"; exec "\$@" \d+ )?((?:docker|podman) exec \S+ )?ovn-[ns]bctl --no-leader-only --timeout=\d+ (.*)$/.exec(
      line,
    );
  const words = call?.[2]?.replace(/^(?:--db=\S+ )?(?:-p \S+ -c \S+ -C \S+ )?--format=json /, '') ?? '';
  return (
    words !== '' &&
    words
      .replace(/^-- /, '')
      .split(' -- ')
      .every((one) => /^(?:--if-exists list|list|find) [A-Z]\w+/.test(one))
  );
};

/** Commands that look and change nothing, by their first words (man pages of each). `sh -c` runs constant scripts only. */
const looks: readonly Pick<RegExp, 'test'>[] = [
  /^ip (-d )?(-s )?-j (addr|link|route|rule|neigh) show\b/,
  /^ip netns list$/,
  /^bridge -j fdb show$/,
  /^(ip6?tables-save|ebtables-save) -c$/,
  /^ipset save$/,
  /^nft -j list ruleset$/,
  /^tc -s -j qdisc show$/,
  /^tc -s -j filter show dev \S+ (in|e)gress$/,
  /^nstat -asj$/,
  /^ovs-appctl --timeout=\d+ fdb\/show [\w-]+$/,
  /^sysctl -e [\w. -]+$/,
  /^ss -Hlntup$/,
  /^ps -ww -eo [\w,]+$/,
  /^date \+(\S+ %z|%s\.%N)$/,
  /^ip -j route get \S+ from \S+$/,
  // Without -generate it changes nothing (ovs-vswitchd(8)).
  /^ovs-appctl ofproto\/trace [\w-]+ [\w=.,:/-]+( --ct-next trk,(est,rpl|new))*$/,
  // It reads the southbound database and computes; nothing is sent (ovn-trace(8)).
  /^((docker|podman) exec \S+ )?ovn-trace --no-leader-only( --db=\S+( -p \S+ -c \S+ -C \S+)?)? --no-friendly-names( --ct=(new|est,rpl))+ [\w-]+ inport == "[\w-]+"( && [\w.]+ == [\w.:]+)+$/,
  // Until a service has answered what is put in at a port.
  /^sleep 1$/,
  /^cat \/var\/lib\/neutron\/dhcp\/[\w-]+\/(host|opts)$/,
  /^cat \/var\/lib\/neutron\/ns-metadata-proxy\/[\w-]+\.conf$/,
  { test: asksOvn },
  /^ovn-appctl --timeout=\d+ -t ovn-(controller|northd) (connection-status|version|status)$/,
  /^ovn-appctl --timeout=\d+ -t \/var\/run\/ovn\/ovn[ns]b_db\.ctl cluster\/status OVN_(North|South)bound$/,
  /^sh -c sleep "\$0"; exec "\$@" [\d.]+ ovs-ofctl --timeout=\d+ dump-ports [\w-]+$/,
  /^sh -c grep -hsE -- "\$@" \|\| true sh /,
  /^cat \/var\/lib\/neutron\/ovn-metadata-proxy\/[\w-]+\.conf$/,
  /^ovs-vsctl --timeout=\d+ --format=json list (Bridge|Port|Interface|Open_vSwitch)$/,
  /^ovs-vsctl --timeout=\d+ get-ssl$/,
  /^openssl x509 -noout -enddate -in \/\S+$/,
  /^ovs-ofctl --timeout=\d+ dump-(flows|ports) [\w-]+$/,
  /^systemctl show --no-pager -p /,
  /^journalctl --no-pager /,
  /^virsh -c qemu:\/\/\/system (domstate|dumpxml) [\w-]+$/,
  // Lists, and where one instance is (nova/cmd/manage.py, CellV2Commands).
  /^nova-manage cell_v2 (list_cells|list_hosts|verify_instance --uuid [0-9a-f-]{36})$/,
  /^sh -c for f in /,
  {
    test: (line) =>
      line.startsWith(`sh -c ${linesAbout} `) &&
      /^[0-9a-f\nreq-]+ nova-\w+( \/\S+)+$/.test(line.slice(`sh -c ${linesAbout} `.length)),
  },
];
const probes: readonly RegExp[] = [
  /^ping -n -c \d+ -i 0\.2 -W 1 /,
  /^arping (-b|-D) -c \d+ -w \d -I \S+ \S+$/,
  /^arping -c \d+ -w \d+ -I \S+ \S+$/,
  // With --inject only, which is the operator's consent.
  /^ovs-ofctl --timeout=\d+ packet-out [\w-]+ in_port=\d+,packet=[0-9a-f]+,actions=resubmit\(,0\)$/,
  /^bash -c exec 3>"\/dev\/udp\/\$0\/\$1" \|\| exit 1; i=0; while /,
  // A DISCOVER, which makes no lease: option 53 is 1.
  /^bash -c exec 3>"\/dev\/udp\/\$0\/67" \|\| exit 1; s\(\) .*; sleep 1 \S+ \d+ [\\x0-9a-f]+ [\\x0-9a-f]*\\x63\\x82\\x53\\x63\\x35\\x01\\x01[\\x0-9a-f]+$/,
  /^curl -s -S -m (5|8|15) -o \/dev\/null -w /,
  /^bash -c exec 3<>"\/dev\/tcp\/\$0\/\$1" \S+ \d+$/,
  /^bash -c exec 3>"\/dev\/udp\/\$0\/\$1" \|\| exit 1; for i in 1 2 3 4 5; do printf "\$2" >&3 \|\| printf "\$2" >&3; sleep 0\.1; done \S+ \d+ [\\x0-9a-f]+$/,
];
/** Bounded in packets and length; not promiscuous; written to nowhere but its own output. */
const captures: readonly RegExp[] = [
  /^tcpdump -i \S+ -n -p -U --immediate-mode -s (160|644|262144) -c 1000 -w - [^-].*$/,
];

describe('what is run on nodes', () => {
  it('looks, or sends a few packets, and is listed here', () => {
    const commands = recorded.flatMap((bundle) => [...bundle.hosts.values()].flatMap((host) => host.commands));
    expect(commands.length).toBeGreaterThan(300);
    const stray = commands.filter(({ argv, impact }) => {
      const list = { read: looks, probe: probes, capture: captures }[impact];
      return !list.some((pattern) => pattern.test(argv.join(' ')));
    });
    expect([...new Set(stray.map(({ argv }) => argv.join(' ')))]).toEqual([]);
  });

  it('runs no script but the six that are written in the sources', () => {
    const scripts = recorded.flatMap((bundle) =>
      [...bundle.hosts.values()].flatMap((host) =>
        host.commands.filter(({ argv }) => argv[0] === 'sh').map(({ argv }) => argv[2] ?? ''),
      ),
    );
    expect(new Set(scripts).size).toBe(6);
  });
});
