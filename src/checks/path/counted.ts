import { defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, Scope } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import type { HostCounters, StackCounters } from '../../facts/second-look.ts';
import { secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { Flow } from '../../nodes/parse/flows.ts';
import { kernelDrops, meaningOfDrop } from '../../path/firewall/kernel-drops.ts';
import { fitOf } from '../../path/firewall/rises.ts';
import { countersOfRules, evidenceAt, readingsOf, roundsOf } from '../host/rule-counters.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { countedAway } from './codes.ts';

const needs = { placement };
const optional = { look: secondLook };

/** Something on a host that counts packets which went no further. */
interface Counter {
  readonly key: string;
  readonly netns?: string;
  /** `qrouter-…: TcpExtIPReversePathFilter`, `filter neutron-… #3`. */
  readonly where: string;
  readonly means: string;
  readonly packets: number;
  readonly perConnection: boolean;
  /** What it was read from. */
  readonly evidence: Evidence | undefined;
  /** Shows it to a person. */
  readonly look: readonly [string, ...string[]];
}

function ofStack(stack: StackCounters, netns?: string): Counter[] {
  const place = netns === undefined ? '' : `${netns} `;
  const base = netns === undefined ? {} : { netns };
  const kernel = kernelDrops.flatMap((name): Counter[] => [
    {
      ...base,
      key: `${place}${name}`,
      where: `${place}${name}`,
      means: meaningOfDrop(name) ?? '',
      packets: stack.kernel[name] ?? 0,
      perConnection: false,
      evidence: stack.evidence.kernel,
      look: ['nstat', '-asz', name],
    },
  ]);
  const links = stack.links.flatMap((link): Counter[] =>
    (
      [
        ['received packets dropped', link.rx.dropped],
        ['packets to send dropped', link.tx.dropped],
        ['received packets damaged', link.rx.errors],
        ['packets that could not be sent', link.tx.errors],
      ] as const
    ).map(([means, packets]) => ({
      ...base,
      key: `${place}link ${link.name} ${means}`,
      where: `${place}${link.name}`,
      means,
      packets,
      perConnection: false,
      evidence: stack.evidence.links,
      look: ['ip', '-s', '-s', 'link', 'show', link.name],
    })),
  );
  return [...kernel, ...links];
}

/** What counts inside a router or a DHCP server is explained by what is wrong with that. */
function ofNamespace(netns: string | undefined, host: string): Pick<Scope, 'router' | 'agent'> {
  if (netns?.startsWith('qrouter-')) return { router: [netns.slice('qrouter-'.length)] };
  return netns?.startsWith('qdhcp-') ? { agent: [agentName('neutron-dhcp-agent', host)] } : {};
}

const ends = (target: string): boolean => /^(?:DROP|REJECT|drop|reject|)$/.test(target);

/**
 * The tables that a bridge's flows send a packet to after they have put it out (`output:5,resubmit(,92)`, as Neutron's
 * firewall does for its logging): what is dropped there is a copy of what went its way.
 */
function afterOutput(reading: HostCounters): ReadonlySet<string> {
  const tables = (reading.rules.rules.bridges ?? []).flatMap((bridge) =>
    bridge.flows.flatMap(({ actions }) => {
      const [, later = ''] = /\boutput:\S*?(,resubmit\(.*)$/.exec(actions) ?? [];
      return [...later.matchAll(/resubmit\(\d*,(\d+)\)/g)].map(([, table]) => `${bridge.name} table ${table}`);
    }),
  );
  return new Set(tables);
}

/**
 * Flows by which the agent keeps off a bridge whatever comes from a patch port and belongs to none of its networks (`drop_port` of
 * setup_physical_bridges, priority 2), and those of OVN that send nothing back: they take a copy of every frame that is flooded, who-has for a silent instance among them.
 */
const takesFloods = (reading: HostCounters): ReadonlySet<string> =>
  new Set(
    (reading.rules.rules.bridges ?? []).flatMap((bridge) =>
      bridge.flows
        .filter((f) => f.actions === 'drop' && (comesBack(f) || (f.priority === 2 && onlyPort(f))))
        .map((f) => f.raw),
    ),
  );

const onlyPort = (flow: Flow): boolean => Object.keys(flow.match).join() === 'in_port';
/** The copy that would go back where it came from (ovn controller/physical.c, OFTABLE_CHECK_LOOPBACK). */
const comesBack = ({ match }: Flow): boolean => match.reg14 !== undefined && match.reg14 === match.reg15;

/** The command of an observation, as it is typed inside its namespace. */
function readBy(evidence: Evidence | undefined, netns: string | undefined): readonly [string, ...string[]] | undefined {
  if (evidence?.source.kind !== 'command') return undefined;
  const [first, ...rest] = netns === undefined ? evidence.source.argv : evidence.source.argv.slice(4);
  return first === undefined ? undefined : [first, ...rest];
}

/** Whatever counts packets that went no further, in one reading of a host. */
export function countersOf(reading: HostCounters): Counter[] {
  const copies = afterOutput(reading);
  const floods = takesFloods(reading);
  const rules = countersOfRules(reading.rules)
    .filter((c) => ends(c.target) && c.raw !== '' && (c.target !== '' || c.where.includes(' table ')))
    .filter((c) => !copies.has(c.where) && !floods.has(c.raw))
    .map((c): Counter => {
      const [first = ''] = c.where.split(' ');
      const netns = /^(?:qdhcp|qrouter|snat|fip|ovnmeta)-/.test(first) ? first : undefined;
      const evidence = evidenceAt(reading.rules, c.where);
      return {
        key: c.key,
        ...(netns === undefined ? {} : { netns }),
        where: c.where,
        means: c.raw,
        packets: c.packets,
        perConnection: / nat /.test(` ${c.where} `),
        evidence,
        look: readBy(evidence, netns) ?? ['iptables-save', '-c'],
      };
    });
  // A bridge's own port loses its copy of every flooded frame while the bridge's interface is down, as br-int's always is.
  const ports = [...reading.ports].flatMap(([bridge, stats]) =>
    stats
      .filter((port) => port.port !== 'LOCAL')
      .flatMap((port): Counter[] =>
        (
          [
            ['received packets dropped', port.rxDropped],
            ['packets to send dropped', port.txDropped],
          ] as const
        ).map(([means, packets]) => ({
          key: `${bridge} port ${port.port} ${means}`,
          where: `${bridge} port ${port.port}`,
          means,
          packets,
          perConnection: false,
          evidence: reading.portsEvidence.get(bridge),
          look: ['ovs-ofctl', 'dump-ports', bridge],
        })),
      ),
  );
  return [
    ...ofStack(reading),
    ...[...reading.inside].flatMap(([netns, stack]) => ofStack(stack, netns)),
    ...rules,
    ...ports,
  ];
}

/** A counter that rose by what was lost; nothing where it is not known what it was read from. */
export function countedFinding(
  subject: PortSubject,
  {
    host,
    hosts,
    counter,
    rises,
    lost,
    proof,
    verify,
  }: {
    readonly host: string;
    readonly hosts: readonly string[];
    readonly counter: Counter;
    readonly rises: readonly number[];
    /** `5 and 7 packets got no answer`. */
    readonly lost: string;
    readonly proof: readonly Evidence[];
    readonly verify: string;
  },
): readonly Finding[] {
  if (counter.evidence === undefined) return [];
  const argv =
    counter.netns === undefined ? counter.look : (['ip', 'netns', 'exec', counter.netns, ...counter.look] as const);
  return [
    findingOf(countedAway, {
      summary: `Packets of ${ownerName(subject)} end on ${host} at ${counter.where} (${counter.means}): it rose by ${rises.join(' and ')}, as many as were lost`,
      subject: `counter ${counter.where}@${host}`,
      scope: portScope(subject, { host: hosts, ...ofNamespace(counter.netns, host) }),
      confidence: 'likely',
      evidence: [
        showing(counter.evidence, `${counter.where}: ${counter.means}\nrose by ${rises.join(' and ')} while ${lost}`),
        ...proof,
      ],
      remedies: [
        {
          title: 'look at what counts there',
          risk: 'none',
          sufficient: false,
          steps: [onHost(host, argv), advice(`it counts: ${counter.means}`, host)],
        },
      ],
      verify,
    }),
  ];
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'path.counted',
  per: 'port',
  title: 'No counter of the path rose by what was lost',
  needs,
  optional,
  findings: [countedAway],
  judge: ({ subject, facts, maybe }) => {
    const { host: compute } = facts.placement.value;
    if (!maybe.look.ok) return notSeen(maybe.look.error);
    const look = maybe.look.value.value;
    const rounds = roundsOf(look);
    if (rounds.length < 2) return skipped('the counters were not read between two repetitions');
    if (!rounds.every((r) => r.lost.some((n) => n > 0))) return skipped('not every repetition lost packets');
    const suspects = [...look.after.keys()].flatMap((host) => {
      const readings = readingsOf(look, host, countersOf).map((list) => new Map(list.map((c) => [c.key, c])));
      const [first] = readings;
      const last = readings.at(-1);
      if (first === undefined || last === undefined || readings.length !== rounds.length + 1) return [];
      return [...last.values()].flatMap((counter) => {
        const rises = readings
          .slice(1)
          .map(
            (reading, n) => (reading.get(counter.key)?.packets ?? 0) - (readings[n]?.get(counter.key)?.packets ?? 0),
          );
        return fitOf(rises, rounds, counter.perConnection) === 'same' ? [{ host, counter, rises }] : [];
      });
    });
    const lost = rounds.map((r) => r.lost.reduce((sum, n) => sum + n, 0));
    return judged(
      suspects.flatMap(({ host, counter, rises }) =>
        countedFinding(subject, {
          host,
          hosts: [...new Set([host, compute])],
          counter,
          rises,
          lost: `${lost.join(' and ')} packets got no answer`,
          proof: look.repeated.slice(0, 1).map((r) => r.evidence),
          verify: verifyWith('net', subject),
        }),
      ),
      'no drop counter of the hosts, namespaces, queues and bridges of the path rose with the losses',
      maybe.look.value.evidence.slice(0, 1),
      ['drop counters of the kernel, interfaces, queues, rules and flows on the path'],
    );
  },
});
