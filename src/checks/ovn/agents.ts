import { blocked, defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { hostStates, type ProcessState } from '../../facts/agent-process.ts';
import { agents } from '../../facts/cloud-api.ts';
import { hostServices } from '../../facts/host.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { chassisView } from '../../facts/ovn/chassis.ts';
import { controllerTrouble, type Trouble } from '../../facts/ovn/connection.ts';
import { neutronRemote } from '../../facts/ovn/databases.ts';
import { ofHost, onOvnHosts, ovnHosts } from '../../facts/ovn/hosts.ts';
import { type Chassises, chassisAgain } from '../../facts/ovn/south.ts';
import type { Agent } from '../../facts/schemas/network.ts';
import { type PortSubject, theCloud } from '../../facts/subject.ts';
import type { ServiceState } from '../../nodes/layouts/layout.ts';
import type { VlogLine } from '../../nodes/parse/ovn-appctl.ts';
import { remotesOf } from '../../path/ovn/connection.ts';
import type { Chassis, ChassisView } from '../../path/ovn/model.ts';
import { deletingRules } from '../remedies.ts';
import { agentName, portScope, verifyWith } from '../scope.ts';
import { deadUnseen, disconnected, frozen, lagging, processDown, versions } from './codes.ts';

const all = source<PortSubject, readonly Agent[]>(
  'port.agents',
  (s) => s.id,
  (_, facts) => facts.get(agents, theCloud),
);
const again = source<PortSubject, Chassises>(
  'port.ovn.chassis-again',
  (s) => s.id,
  (_, facts) => facts.get(chassisAgain, theCloud),
);
const told = source<PortSubject, string>(
  'port.ovn.neutron-remote',
  (s) => s.id,
  (_, facts) => facts.get(neutronRemote, theCloud),
);

const needs = { hosts: ovnHosts, agents: all };
const optional = {
  services: onOvnHosts(hostServices),
  states: onOvnHosts(hostStates),
  views: onOvnHosts(chassisView),
  troubles: onOvnHosts(controllerTrouble),
  registered: again,
  told,
};

/** Daemons without which a chassis does not work, and what stands for each among the processes. */
const daemons = {
  'ovn-controller': /(?:^|\/)ovn-controller\s/,
  'ovs-vswitchd': /(?:^|\/)ovs-vswitchd\s/,
  'ovsdb-server': /(?:^|\/)ovsdb-server\s+(?:\S+\/)?conf\.db|(?:^|\/)ovsdb-server\s.*openvswitch\/conf\.db/,
  'neutron-ovn-metadata-agent':
    /(?:^|[\s/])(?:neutron-ovn-metadata-agent|networking-ovn-metadata-agent|neutron-ovn-agent)\b/,
} as const;
type Daemon = keyof typeof daemons;

const everyChassis: readonly Daemon[] = ['ovsdb-server', 'ovs-vswitchd', 'ovn-controller'];

/** Words of a log that tell why there is no connection (lib/reconnect.c, lib/stream-ssl.c). */
const ofConnection =
  /connection attempt|connection (?:failed|closed|dropped)|SSL_connect|certificate|no response to inactivity|clustered database|not (?:a )?cluster/i;
const ofVersions = /controller version .* mismatch|version mismatch/i;

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.agents',
  per: 'port',
  title: 'The daemons of every chassis on the path run, are connected and keep up',
  families: ['ovn'],
  needs,
  optional,
  findings: [processDown, frozen, disconnected, lagging, deadUnseen, versions],
  judge: ({ subject, facts, maybe, now }) => {
    const hosts = facts.hosts.value;
    const list = facts.agents.value;
    const [api] = facts.agents.evidence;
    const byNeutron = maybe.told.ok ? maybe.told.value.value : undefined;
    const registered = maybe.registered.ok ? maybe.registered.value.value : undefined;
    const [chassisEvidence] = maybe.registered.ok ? maybe.registered.value.evidence : [];
    const servesMetadata = list.some((a) => a.binary === 'neutron-ovn-metadata-agent');
    const findings: Finding[] = [];
    const notes: string[] = [];
    let blind: FactFailure | undefined;
    for (const host of hosts.all) {
      const wanted: readonly Daemon[] =
        host === hosts.compute && servesMetadata ? [...everyChassis, 'neutron-ovn-metadata-agent'] : everyChassis;
      const services = ofHost(maybe.services, host);
      if (services?.ok === false) blind ??= services.error;
      const view = ofHost(maybe.views, host);
      const systemId = view?.ok === true ? view.value.value.systemId : undefined;
      const row = registered?.chassis.find((c) => (systemId === undefined ? c.hostname === host : c.name === systemId));
      const still = wanted.filter((daemon) => standsStill(host, daemon));
      for (const daemon of wanted) {
        const found = judgeDaemon(host, daemon, row, still);
        if (found !== undefined) findings.push(found);
      }
      notes.push(host);
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    const seen = [api, chassisEvidence].filter((e) => e !== undefined);
    return judged(findings, `${notes.join(', ')}: running, connected, up to date`, seen, ['agents']);

    function stateOf(host: string, daemon: Daemon): ServiceState | undefined {
      const services = ofHost(maybe.services, host);
      return services?.ok === true ? services.value.value.find((s) => s.service === daemon) : undefined;
    }

    function processesOf(host: string, daemon: Daemon): readonly ProcessState[] {
      const states = ofHost(maybe.states, host);
      return (states?.ok === true ? states.value.value : []).filter((p) => daemons[daemon].test(p.args));
    }

    /** Neither its unit nor any process runs. */
    function standsStill(host: string, daemon: Daemon): boolean {
      const seen = ofHost(maybe.states, host)?.ok === true;
      return seen && stopped(stateOf(host, daemon)) && processesOf(host, daemon).length === 0;
    }

    function judgeDaemon(
      host: string,
      daemon: Daemon,
      row: Chassis | undefined,
      still: readonly Daemon[],
    ): Finding | undefined {
      const services = ofHost(maybe.services, host);
      const state = stateOf(host, daemon);
      const [unit] = services?.ok === true ? services.value.evidence : [];
      const states = ofHost(maybe.states, host);
      const processes = processesOf(host, daemon);
      const [ps] = states?.ok === true ? states.value.evidence : [];
      const agent = list.find((a) => a.binary === daemon && (a.host === host || a.id === row?.name));
      const apiLine =
        api === undefined
          ? []
          : [
              showing(
                api,
                agent === undefined
                  ? `no ${daemon} on ${host}`
                  : `${daemon}@${host} alive=${agent.alive} heartbeat ${agent.heartbeat_timestamp ?? 'never'}`,
              ),
            ];
      const ofApi = /^ov(?:n-controller)|metadata/.test(daemon) ? apiLine : [];
      if (services?.ok !== true) {
        if (agent?.alive !== false || api === undefined) return undefined;
        return make(
          deadUnseen,
          host,
          daemon,
          `${daemon} on ${host} is dead for OpenStack; ${host} could not be looked at`,
          apiLine,
          [
            {
              title: 'look at it on its node',
              risk: 'none',
              sufficient: false,
              steps: [onHost(host, ['systemctl', 'status', daemon])],
            },
          ],
        );
      }
      const halted = processes.filter((p) => /^[Tt]/.test(p.state));
      if (halted.length > 0 && ps !== undefined) {
        return make(
          frozen,
          host,
          daemon,
          `${daemon} on ${host} is frozen: its process is stopped by a signal`,
          [showing(ps, shown(halted)), ...ofApi],
          [
            {
              title: 'let it go on',
              risk: 'none',
              sufficient: true,
              steps: [onHost(host, ['kill', '-CONT', ...halted.map((p) => String(p.pid))])],
            },
          ],
        );
      }
      if (still.includes(daemon) && unit !== undefined && state !== undefined) {
        // What never stood here is not missed, unless Neutron knows it here or nothing works without it.
        if (state.state === 'absent' && agent === undefined) return undefined;
        return make(
          processDown,
          host,
          daemon,
          `${state.unit} on ${host} is ${state.state}`,
          [showing(unit, `${state.unit}: ${state.detail || state.state}`), ...ofApi],
          [
            {
              title: 'start what stands still there',
              risk: 'none',
              sufficient: true,
              // In this order: ovn-controller needs the switch, and that its database.
              steps: still
                .filter((each) => each === daemon || stateOf(host, each)?.state !== 'absent')
                .map((each) => restartOf(host, each)),
            },
          ],
        );
      }
      if (daemon === 'ovn-controller') return judgeController(host, row, ofApi, agent?.alive === true);
      if (daemon === 'neutron-ovn-metadata-agent' && agent?.alive === false) return judgeMetadata(host, row, ofApi);
      return undefined;
    }

    function judgeController(
      host: string,
      row: Chassis | undefined,
      ofApi: readonly Evidence[],
      alive: boolean,
    ): Finding | undefined {
      const found = ofHost(maybe.views, host);
      if (found?.ok !== true) return undefined;
      const view = found.value.value;
      const trouble = ofHost(maybe.troubles, host);
      const why = trouble?.ok === true ? trouble.value.value : undefined;
      const status = found.value.evidence.find(
        (e) => e.source.kind === 'command' && e.source.argv.includes('connection-status'),
      );
      const behind = row !== undefined && registered !== undefined && (row.nbCfg ?? 0) < registered.nbCfg;
      const mismatch = why?.lines.findLast((l) => ofVersions.test(l.message));
      if (view.settings.get('ovn-match-northd-version') === 'true' && behind && mismatch !== undefined && why?.log) {
        return make(
          versions,
          host,
          'ovn-controller',
          `ovn-controller on ${host} is of version ${view.controllerVersion ?? '?'} and waits for a northd of its own version (ovn-match-northd-version)`,
          [
            showing(why.log, `${mismatch.at} ${mismatch.message}`),
            ...(chassisEvidence === undefined
              ? []
              : [
                  showing(
                    chassisEvidence,
                    `northd_internal_version ${registered.options.get('northd_internal_version') ?? '?'}`,
                  ),
                ]),
            ...ofApi,
          ],
          [
            {
              title: 'bring ovn-controller to the version of northd; until then, do not wait for it',
              risk: 'reversible',
              sufficient: true,
              steps: [
                onHost(host, ['ovs-vsctl', 'remove', 'open_vswitch', '.', 'external_ids', 'ovn-match-northd-version']),
              ],
            },
          ],
        );
      }
      if (view.connection !== undefined && view.connection !== 'connected' && status !== undefined) {
        return notConnected(host, view, status, why, ofApi);
      }
      // A chassis that computes all its flows anew may take long; Neutron's own patience is longer (agent_down_time).
      if (!behind || chassisEvidence === undefined || alive) return undefined;
      const silent = view.connection === undefined;
      return make(
        lagging,
        host,
        'ovn-controller',
        silent
          ? `ovn-controller on ${host} runs, and does not answer at its control socket`
          : `ovn-controller on ${host} is connected, and does not answer what is new in the southbound database`,
        [lagLine(chassisEvidence, host, row.nbCfg ?? 0), ...ofApi],
        [
          {
            title: 'look at its log, then restart it',
            risk: 'none',
            sufficient: false,
            steps: [
              onHost(host, ['tail', '-n', '50', '/var/log/ovn/ovn-controller.log']),
              restartOf(host, 'ovn-controller'),
            ],
          },
        ],
      );
    }

    function notConnected(
      host: string,
      view: ChassisView,
      status: Evidence,
      why: Trouble | undefined,
      ofApi: readonly Evidence[],
    ): Finding {
      const remote = view.remote;
      const lines = sinceConnected(why?.lines ?? []);
      // Why a handshake failed stands before the attempt that failed by it.
      const last =
        lines.findLast((l) => l.module === 'stream_ssl') ?? lines.findLast((l) => ofConnection.test(l.message));
      const expired = why?.certificate !== undefined && why.certificate.until < now ? why.certificate : undefined;
      const logged =
        last === undefined || why?.log === undefined ? [] : [showing(why.log, `${last.at} ${last.message}`)];
      const own = `external_ids:ovn-remote=${remote ?? ''}`;
      // Elsewhere it is right: what the other chassis and Neutron are told.
      const elsewhere = hosts.all
        .filter((h) => h !== host)
        .map((h) => ofHost(maybe.views, h))
        .find((v) => v?.ok === true && v.value.value.connection === 'connected');
      const right = elsewhere?.ok === true ? elsewhere.value.value.remote : byNeutron;
      const [rule] = why?.strangers ?? [];
      const wrong = rule === undefined && right !== undefined && !leadsThere(remote ?? '', right);
      const remedies: Remedy[] = [];
      if (rule !== undefined) {
        remedies.push(deletingRules((why?.strangers ?? []).map((s) => ({ host: s.host, remove: s.stranger.remove }))));
      } else if (wrong) {
        remedies.push({
          title: 'set ovn-remote to where the southbound database is',
          risk: 'none',
          sufficient: true,
          steps: [onHost(host, ['ovs-vsctl', 'set', 'open_vswitch', '.', `external_ids:ovn-remote=${right ?? ''}`])],
        });
      }
      return make(
        disconnected,
        host,
        'ovn-controller',
        rule !== undefined
          ? `${rule.host} drops packets between ovn-controller on ${host} and the southbound database by a rule that Neutron did not make: ${rule.stranger.where}`
          : expired !== undefined
            ? `The certificate of ${host} for the southbound database, ${expired.file}, is good no more since ${new Date(expired.until).toISOString().slice(0, 16).replace('T', ' ')} UTC`
            : wrong
              ? `ovn-remote of ${host} is ${remote ?? 'not set'}, the southbound database is at ${right}`
              : `ovn-controller on ${host} has no connection to the southbound database at ${remote ?? '(no ovn-remote)'}${last === undefined ? '' : `: ${last.message.replace(/^\S+: /, '')}`}`,
        [
          ...(rule === undefined ? [] : [showing(rule.evidence, `${rule.stranger.where}  ${rule.stranger.raw}`)]),
          showing(status, [view.connection ?? '', own]),
          ...(expired === undefined ? [] : [expired.evidence]),
          ...logged,
          ...ofApi,
        ],
        [
          ...remedies,
          ...(expired === undefined || rule !== undefined
            ? []
            : [
                {
                  title: 'give the host a new certificate of the same authority',
                  risk: 'none' as const,
                  sufficient: false,
                  steps: [
                    onHost(host, ['openssl', 'x509', '-noout', '-subject', '-issuer', '-enddate', '-in', expired.file]),
                    advice(`write the new one to ${expired.file}; ovn-controller reads it anew by itself`, host),
                  ],
                },
              ]),
          {
            title: `find what stands between ${host} and the database`,
            risk: 'none',
            sufficient: false,
            steps: [
              onHost(host, ['tail', '-n', '20', '/var/log/ovn/ovn-controller.log']),
              onHost(host, ['ss', '-tnp', 'state', 'syn-sent']),
              advice(
                'a certificate that has expired or is of another authority is named in the log (stream_ssl)',
                host,
              ),
            ],
          },
        ],
      );
    }

    /** Another address or port may be another listener of the same database: one for TLS, one of a cluster's members. */
    function leadsThere(remote: string, right: string): boolean {
      if (remote === right) return true;
      const listeners = registered?.listeners ?? [];
      return remotesOf(remote).some(
        ({ address, port }) =>
          remotesOf(right).some((r) => r.address === address) &&
          (listeners.length === 0 || listeners.some((l) => l.target.split(':').includes(String(port)))),
      );
    }

    function judgeMetadata(host: string, row: Chassis | undefined, ofApi: readonly Evidence[]): Finding | undefined {
      if (row?.metadataCfg === undefined || registered === undefined || chassisEvidence === undefined) return undefined;
      if (row.metadataCfg >= registered.nbCfg) return undefined;
      return make(
        lagging,
        host,
        'neutron-ovn-metadata-agent',
        `neutron-ovn-metadata-agent on ${host} runs, and does not answer what is new in the southbound database`,
        [lagLine(chassisEvidence, host, row.metadataCfg), ...ofApi],
        [
          {
            title: 'look at its log, then restart it',
            risk: 'none',
            sufficient: false,
            steps: [
              onHost(host, ['journalctl', '-u', 'neutron-ovn-metadata-agent', '-n', '50', '--no-pager']),
              restartOf(host, 'neutron-ovn-metadata-agent'),
            ],
          },
        ],
      );
    }

    function lagLine(evidence: Evidence, host: string, answered: number): Evidence {
      return showing(evidence, `nb_cfg ${registered?.nbCfg ?? 0} in SB_Global; ${host} has answered ${answered}`);
    }

    function make(
      spec: FindingSpec,
      host: string,
      daemon: Daemon,
      summary: string,
      evidence: readonly Evidence[],
      remedies: readonly Remedy[],
    ): Finding {
      const [first, ...rest] = evidence;
      if (first === undefined) throw new Error(`${spec.code} without evidence`);
      return findingOf(spec, {
        summary,
        subject: `agent ${agentName(daemon, host)}`,
        scope: portScope(subject, { host: [host], agent: [agentName(daemon, host)] }),
        evidence: [first, ...rest],
        remedies,
        verify: verifyWith('net', subject),
      });
    }
  },
});

const shown = (processes: readonly ProcessState[]): readonly string[] =>
  processes.slice(0, 3).map((p) => `${p.pid} ${p.state} ${p.args.slice(0, 120)}`);

const stopped = (state: ServiceState | undefined): boolean =>
  state !== undefined && state.state !== 'active' && state.state !== 'activating';

/** What was written after the last connection to the database was made: what came before it is over. */
function sinceConnected(lines: readonly VlogLine[]): readonly VlogLine[] {
  const at = lines.findLastIndex((l) => /^(?:tcp|ssl):\S+: connected$/.test(l.message));
  return lines.slice(at + 1);
}
