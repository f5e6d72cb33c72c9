import { blocked, defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { chassisView } from '../../facts/ovn/chassis.ts';
import { controllerTrouble } from '../../facts/ovn/connection.ts';
import { type CentralHost, ovnCentral, ovnProgress } from '../../facts/ovn/control.ts';
import { ovnDatabases } from '../../facts/ovn/databases.ts';
import { onOvnHosts, seenOn } from '../../facts/ovn/hosts.ts';
import { registeredChassis } from '../../facts/ovn/south.ts';
import { type PortSubject, theCloud } from '../../facts/subject.ts';
import { type CentralService, centralProcess, centralWords } from '../../path/ovn/central.ts';
import { remotesOf } from '../../path/ovn/connection.ts';
import { agentName, portScope, verifyWith } from '../scope.ts';
import { databaseDown, frozen, noLeader, northdBehind, northdStopped, notListening, readOnly } from './codes.ts';

const ofCloud = <T>(name: string, inner: Parameters<typeof source<PortSubject, T>>[2]) =>
  source<PortSubject, T>(name, (s) => s.id, inner);

const needs = { central: ofCloud('port.ovn.central', (_, facts) => facts.get(ovnCentral, theCloud)) };
const optional = {
  databases: ofCloud('port.ovn.databases', (_, facts) => facts.get(ovnDatabases, theCloud)),
  progress: ofCloud('port.ovn.progress', (_, facts) => facts.get(ovnProgress, theCloud)),
  registered: ofCloud('port.ovn.registered', (_, facts) => facts.get(registeredChassis, theCloud)),
  views: onOvnHosts(chassisView),
  troubles: onOvnHosts(controllerTrouble),
};

/** In the order in which they are started: northd needs both databases. */
const parts: readonly CentralService[] = ['ovn-ovsdb-server-nb', 'ovn-ovsdb-server-sb', 'ovn-northd'];

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.control-plane',
  per: 'port',
  title: 'Northd and both databases run, and what Neutron orders comes to the southbound database',
  families: ['ovn'],
  needs,
  optional,
  findings: [northdStopped, databaseDown, northdBehind, noLeader, readOnly, notListening, frozen],
  judge: ({ subject, facts, maybe }) => {
    const { hosts, unseen } = facts.central.value;
    const { troubles } = maybe;
    const findings: Finding[] = [];
    const evidence = [...facts.central.evidence];
    for (const part of parts) {
      const there = hosts.flatMap((h) => {
        const service = h.services.find((s) => s.state.service === part);
        return service === undefined ? [] : [{ host: h, ...service }];
      });
      const down = there.filter((s) => s.state.state !== 'active' && s.state.state !== 'activating');
      for (const s of there) {
        const halted = s.host.processes.filter((p) => centralProcess[part].test(p.args) && /^[Tt]/.test(p.state));
        if (halted.length === 0) continue;
        findings.push(
          make(
            frozen,
            part,
            s.host,
            `${centralWords[part]} on ${s.host.host} is frozen: its process is stopped by a signal`,
            [derived(s.host, halted.map((p) => `${p.pid} ${p.state} ${p.args.slice(0, 100)}`).join('\n'), 'ps')],
            {
              title: 'let it go on',
              risk: 'none',
              sufficient: true,
              steps: [onHost(s.host.host, ['kill', '-CONT', ...halted.map((p) => String(p.pid))])],
            },
          ),
        );
      }
      // One that stands beside others that run is in reserve.
      if (down.length === 0 || down.length < there.length) continue;
      for (const s of down) {
        findings.push(
          make(
            part === 'ovn-northd' ? northdStopped : databaseDown,
            part,
            s.host,
            `${s.state.unit} on ${s.host.host} is ${s.state.state}: ${part === 'ovn-northd' ? "nothing carries Neutron's changes to the chassis" : `${centralWords[part]} does not answer`}`,
            s.host.evidence.slice(0, 1).map((e) => showing(e, `${s.state.unit}: ${s.state.detail || s.state.state}`)),
            { title: 'start it', risk: 'none', sufficient: true, steps: startAll(s.host) },
          ),
        );
      }
    }
    const northds = hosts.filter((h) => h.services.some((s) => s.state.service === 'ovn-northd'));
    const statusOf = (h: CentralHost): string =>
      h.northd.ok ? (/Status: (\S+)/.exec(h.northd.value.value)?.[1] ?? '') : '';
    const paused = northds.filter((h) => statusOf(h) === 'paused');
    // A paused one holds no lock: where another is active nothing stands still.
    if (paused.length > 0 && !northds.some((h) => statusOf(h) === 'active')) {
      for (const h of paused) {
        findings.push(
          make(
            northdStopped,
            'ovn-northd',
            h,
            `ovn-northd on ${h.host} is paused: nothing carries Neutron's changes to the chassis`,
            h.northd.ok ? h.northd.value.evidence : h.evidence,
            {
              title: 'resume it',
              risk: 'none',
              sufficient: true,
              steps: [onHost(h.host, ['ovn-appctl', '-t', 'ovn-northd', 'resume'])],
            },
          ),
        );
      }
    }
    for (const database of ['nb', 'sb'] as const) {
      const members = hosts.flatMap((h) => {
        const cluster = h.clusters.get(database);
        return cluster === undefined ? [] : [{ host: h, cluster }];
      });
      const [first] = members;
      if (first === undefined || members.some((m) => m.cluster.leader !== 'unknown' && m.cluster.leader !== ''))
        continue;
      const part = `ovn-ovsdb-server-${database}` as const;
      findings.push(
        make(
          noLeader,
          part,
          first.host,
          `${centralWords[part]} has no leader: ${members.map((m) => `${m.host.host} is ${m.cluster.role}`).join(', ')} in term ${first.cluster.term}`,
          members.map((m) =>
            derived(
              m.host,
              `Role: ${m.cluster.role}\nLeader: ${m.cluster.leader}\nStatus: ${m.cluster.status}`,
              'cluster/status',
            ),
          ),
          {
            title: 'bring the missing members back',
            risk: 'none',
            sufficient: false,
            steps: first.cluster.servers.map((s) =>
              advice(
                `member ${s.id} at ${s.address}${s.lastHeardMs === undefined ? '' : `, last heard ${s.lastHeardMs} ms ago`}`,
              ),
            ),
          },
        ),
      );
    }
    if (maybe.registered.ok) {
      const { listeners } = maybe.registered.value.value;
      const [seen] = maybe.registered.value.evidence;
      const closed = listeners.filter((l) => l.readOnly);
      if (seen !== undefined && closed.length > 0 && closed.length === listeners.length) {
        const at =
          maybe.databases.ok && maybe.databases.value.value.sb.ok
            ? maybe.databases.value.value.sb.value.host
            : undefined;
        findings.push(
          make(
            readOnly,
            'ovn-ovsdb-server-sb',
            undefined,
            `OVN's southbound database takes no writes at ${closed.map((l) => l.target).join(', ')}: chassis can neither claim ports nor report`,
            [
              showing(
                seen,
                closed.map((l) => `${l.target} read_only=true`),
              ),
            ],
            {
              title: 'take the mark away',
              risk: 'none',
              sufficient: true,
              steps:
                at === undefined
                  ? [advice('on a host of the southbound database: ovn-sbctl set Connection . read_only=false')]
                  : [onHost(at, ['ovn-sbctl', 'set', 'connection', '.', 'read_only=false'])],
            },
          ),
        );
      }
    }
    judgeListening();
    if (maybe.progress.ok && findings.length === 0) {
      const { nbCfg, sbCfg } = maybe.progress.value.value;
      const [seen] = maybe.progress.value.evidence;
      if (sbCfg < nbCfg && seen !== undefined) {
        findings.push(
          make(
            northdBehind,
            'ovn-northd',
            northds[0],
            `ovn-northd has carried change ${sbCfg} of ${nbCfg} to the southbound database, and no more for some seconds`,
            [showing(seen, `nb_cfg ${nbCfg}, sb_cfg ${sbCfg}`)],
            {
              title: 'look at northd',
              risk: 'none',
              sufficient: false,
              steps: northds.flatMap((h) => [
                onHost(h.host, ['ovn-appctl', '-t', 'ovn-northd', 'status']),
                onHost(h.host, ['tail', '-n', '50', '/var/log/ovn/ovn-northd.log']),
              ]),
            },
          ),
        );
      }
    }
    const blind = unseen[0]?.failure;
    const unread = maybe.databases.ok
      ? [maybe.databases.value.value.nb, maybe.databases.value.value.sb].find((d) => !d.ok)
      : maybe.databases;
    if (findings.length === 0 && unread?.ok === false) return blocked(unread.error);
    if (findings.length === 0 && hosts.length === 0 && blind !== undefined && !maybe.progress.ok) return blocked(blind);
    const names = hosts.map((h) => h.host);
    return judged(
      findings,
      names.length === 0
        ? 'what Neutron orders comes to the southbound database'
        : `northd and the databases run on ${names.join(', ')}; what Neutron orders comes to the southbound database`,
      evidence,
      ["OVN's control plane"],
    );

    /** All chassis of the path are refused, and no entry has the port that they are told. */
    function judgeListening(): void {
      if (!maybe.registered.ok || !maybe.views.ok) return;
      const [seen] = maybe.registered.value.evidence;
      const { listeners } = maybe.registered.value.value;
      const views = [...maybe.views.value.value.keys()].flatMap((host) => seenOn(maybe.views, host) ?? []);
      const cut = views.filter((v) => v.connection !== undefined && v.connection !== 'connected');
      const turned = cut.filter((v) =>
        seenOn(troubles, v.host)?.lines.some((l) => /Connection refused/.test(l.message)),
      );
      const [remote] = turned.map((v) => v.remote ?? '');
      const ports = remotesOf(remote ?? '').map((r) => String(r.port));
      const listens = listeners.some((l) => l.target.split(':').some((word) => ports.includes(word)));
      if (seen === undefined || turned.length === 0 || turned.length < views.length || ports.length === 0 || listens)
        return;
      const target = `${remote?.trim().startsWith('ssl:') ? 'pssl' : 'ptcp'}:${ports[0]}:0.0.0.0`;
      const at =
        maybe.databases.ok && maybe.databases.value.value.sb.ok ? maybe.databases.value.value.sb.value.host : '';
      findings.push(
        make(
          notListening,
          'ovn-ovsdb-server-sb',
          undefined,
          `OVN's southbound database does not listen at ${remote}: ${turned.map((v) => v.host).join(', ')} are refused`,
          [showing(seen, `Connection: ${listeners.map((l) => l.target).join(', ') || 'no entry'}`)],
          {
            title: 'let it listen there again',
            risk: 'none',
            sufficient: true,
            // set-connection sets all of them: what is there stays.
            steps: [onHost(at, ['ovn-sbctl', 'set-connection', ...listeners.map((l) => l.target), target])],
          },
        ),
      );
    }

    /** Debian stops all three together: whoever starts one starts what else stands still there. */
    function startAll(h: CentralHost) {
      return h.services
        .filter((s) => parts.includes(s.state.service) && s.state.state !== 'active')
        .sort((a, b) => parts.indexOf(a.state.service) - parts.indexOf(b.state.service))
        .map((s) => onHost(h.host, starting(s.restart)));
    }

    function derived(h: CentralHost, excerpt: string, what: string): Evidence {
      const at = h.evidence[0]?.at ?? new Date(0).toISOString();
      return { source: { kind: 'derived', from: `${what} on ${h.host}` }, at, excerpt };
    }

    function make(
      spec: FindingSpec,
      part: CentralService,
      h: CentralHost | undefined,
      summary: string,
      shown: readonly Evidence[],
      remedy: Remedy,
    ): Finding {
      const [first, ...rest] = shown;
      if (first === undefined) throw new Error(`${spec.code} without evidence`);
      return findingOf(spec, {
        summary,
        subject: `agent ${agentName(part, h?.host ?? 'cloud')}`,
        scope: portScope(subject, {
          host: h === undefined ? [] : [h.host],
          agent: [agentName(part, h?.host ?? 'cloud')],
        }),
        evidence: [first, ...rest],
        remedies: [remedy],
        verify: verifyWith('net', subject),
      });
    }
  },
});

/** What does not run is started: a restart of northd would restart the databases that Debian binds to it. */
const starting = ([tool, ...words]: readonly [string, ...string[]]): readonly [string, ...string[]] => [
  tool,
  ...words.map((word) => (word === 'restart' ? 'start' : word)),
];
