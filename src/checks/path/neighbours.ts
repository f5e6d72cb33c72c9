import { defineCheck, notSeen, passed } from '../../engine/check.ts';
import type { FindingSpec, RemedyStep, Scope } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import type { Matrix } from '../../engine/matrix.ts';
import type { Io } from '../../facts/io.ts';
import { neighbours } from '../../facts/neighbours.ts';
import { type ServingRouter, servingRouters } from '../../facts/port-api.ts';
import { computeHostOf, type PortSubject } from '../../facts/subject.ts';
import { deviceName } from '../../path/addresses.ts';
import { type Half, type Reading, readMatrix } from '../../path/read-matrix.ts';
import { linkName, ownerName, portScope, verifyWith } from '../scope.ts';
import { hostSide, instanceSide, networkSide } from './codes.ts';

/** Asked for only where something is sick: a run without it is a healthy one, or one that could not look. */
const optional = { matrix: neighbours, routers: servingRouters };

/** Outside and translation are named by the pings that show them: the neighbours only rule the inside out. */
const specOf: Readonly<Record<Half, FindingSpec | undefined>> = {
  port: instanceSide,
  pair: instanceSide,
  'host-or-port': instanceSide,
  host: hostSide,
  network: networkSide,
  sender: networkSide,
  outside: undefined,
  translation: undefined,
};

/** Where the sick half is, in a few words for the start of a sentence. */
function placeOf(reading: Reading, subject: PortSubject): string {
  const hosts = reading.hosts.join(' or ');
  const name = ownerName(subject);
  switch (reading.half) {
    case 'port':
      return `The fault is on ${name}'s own side of ${hosts}`;
    case 'pair':
      return `The fault is between one sender and ${name} only`;
    case 'host-or-port':
      return `The fault is on ${name}'s side, its port or ${hosts}`;
    case 'host':
      return `The fault is with ${hosts} as a whole`;
    case 'network':
      return `The fault is with the network on ${hosts}`;
    case 'sender':
      return `The fault is with what sends on ${hosts}`;
    case 'outside':
    case 'translation':
      return `The fault is behind the router on ${hosts}`;
  }
}

function lookNext(reading: Reading, spec: FindingSpec, subject: PortSubject): RemedyStep[] {
  const [host] = reading.hosts;
  return host !== undefined && (reading.half === 'port' || reading.half === 'host-or-port')
    ? [onHost(host, ['tcpdump', '-nn', '-e', '-c', '10', '-i', deviceName('tap', subject.id), 'icmp', 'or', 'arp'])]
    : [advice(spec.mend, host)];
}

/** Where nobody but routers goes unanswered, what is wrong with them explains it. */
function ofRouters(matrix: Matrix, routers: readonly ServingRouter[]): Pick<Scope, 'router'> {
  const own = matrix.rows.find((row) => row.kind === 'this-instance');
  const silent = matrix.sources.filter((s, at) => s.kind !== 'operator' && own?.cells[at]?.state === 'lost');
  if (silent.length === 0 || silent.some((s) => s.kind !== 'qrouter')) return {};
  const names = new Set(silent.map((s) => s.name));
  return { router: routers.flatMap(({ router }) => (names.has(router.name) ? [router.id] : [])) };
}

export default defineCheck<Io, PortSubject, Record<string, never>, typeof optional>({
  id: 'path.neighbours',
  per: 'port',
  title: 'Neighbours of the instance answer from the same places as it does',
  families: ['agents', 'routed'],
  needs: {},
  optional,
  findings: [instanceSide, hostSide, networkSide],
  judge: ({ subject, maybe }) => {
    if (!maybe.matrix.ok) return notSeen(maybe.matrix.error);
    const { value: matrix, evidence } = maybe.matrix.value;
    const reading = readMatrix(matrix);
    const others = matrix.rows.filter((r) => r.kind !== 'this-instance');
    const asked = others.filter((r) => r.cells.some((c) => c.state !== 'not-asked'));
    if (reading === undefined) {
      return passed(
        asked.length === 0 ? 'no neighbour could be asked' : `${asked.length} neighbours asked`,
        evidence.slice(0, 4),
      );
    }
    const [first, ...rest] = reading.evidence;
    if (first === undefined) throw new Error('a reading without evidence');
    const spec = specOf[reading.half];
    const exclusions = reading.exclusions.length === 0 ? {} : { exclusions: reading.exclusions };
    if (spec === undefined) return { status: 'ok', note: reading.words, evidence: reading.evidence, ...exclusions };
    const compute = computeHostOf(subject);
    const hosts = [...new Set([...(compute === undefined ? [] : [compute]), ...reading.hosts])];
    const [a, b] = hosts;
    const finding = findingOf(spec, {
      summary: `${placeOf(reading, subject)}: ${reading.words}`,
      subject: `path of ${ownerName(subject)}`,
      scope: portScope(subject, {
        host: hosts,
        link: [a !== undefined && b !== undefined ? linkName(a, b) : (a ?? ownerName(subject))],
        ...(maybe.routers.ok ? ofRouters(matrix, maybe.routers.value.value) : {}),
      }),
      confidence: reading.lossy ? 'possible' : reading.confidence,
      ...(reading.lossy ? { severity: 'warning' as const } : {}),
      evidence: [first, ...rest],
      remedies: [
        { title: 'look at that half', risk: 'none', sufficient: false, steps: lookNext(reading, spec, subject) },
      ],
      verify: verifyWith('net', subject),
    });
    return { status: 'problem', note: finding.summary, findings: [finding], evidence: reading.evidence, ...exclusions };
  },
});
