import { observed } from '../engine/fact.ts';
import type { Matrix, MatrixCell } from '../engine/matrix.ts';
import { err } from '../engine/result.ts';
import { parseConsoleLog } from '../nodes/parse/console-log.ts';
import { readMatrix } from '../path/read-matrix.ts';
import { consoleText, ports } from './instance-api.ts';
import { type Store, source } from './io.ts';
import { resolutions } from './neighbour.ts';
import { askedRows } from './neighbours/asked.ts';
import { neighboursOf } from './neighbours/candidates.ts';
import { type From, sourcesOf } from './neighbours/places.ts';
import { sentRows } from './neighbours/sent.ts';
import { type PingRun, pingsFromDhcp, pingsFromRouter, pingsOfFloating, pingsOfGateway } from './ping.ts';
import { remoteMembers, securityGroups, servingRouters } from './port-api.ts';
import { allAnswered, secondLook } from './second-look.ts';
import type { PortSubject } from './subject.ts';

/** The second looks of the instance's other ports: their counters must not count these packets either. */
async function otherLooks(facts: Store, { instance, id }: PortSubject): Promise<void> {
  if (instance === undefined) return;
  const all = await facts.get(ports, instance);
  if (!all.ok) return;
  const { value, evidence } = all.value;
  const bound = value.filter((p) => p.id !== id && !/^(unbound|binding_failed)$/.test(p['binding:vif_type'] ?? ''));
  await Promise.all(
    bound.map((p) => facts.get(secondLook, { kind: 'port', id: p.id, port: { value: p, evidence }, instance })),
  );
}

/**
 * Differential diagnosis: where the instance does not answer, its neighbours are pinged from the same places. Who answers
 * splits the field: same host, other host, other network, gateway, outside. Nothing of it is sent on a healthy run, and
 * all of it in one wave after the counters of the second look are read, which must not count these packets.
 */
export const neighbours = source<PortSubject, Matrix>(
  'port.neighbours',
  (subject) => subject.id,
  async (subject, facts) => {
    const [fromDhcp, fromRouter, ofGateway, ofFloating] = await Promise.all([
      facts.get(pingsFromDhcp, subject),
      facts.get(pingsFromRouter, subject),
      facts.get(pingsOfGateway, subject),
      facts.get(pingsOfFloating, subject),
    ]);
    const runsOf = (pings: typeof fromDhcp): readonly PingRun[] => (pings.ok ? pings.value.value.runs : []);
    const inside = [...runsOf(fromDhcp), ...runsOf(fromRouter)];
    const outside = [...runsOf(ofGateway), ...runsOf(ofFloating)];
    if (inside.length + outside.length === 0) {
      const failure = [fromDhcp, fromRouter].find((p) => !p.ok);
      return failure?.ok === false ? failure : err({ kind: 'unsupported', because: 'nothing could be pinged' });
    }
    if ([...inside, ...outside].every((r) => r.ping.received === r.ping.sent))
      return err({ kind: 'unsupported', because: allAnswered });

    const [groups, members, resolved, routers, froms] = await Promise.all([
      facts.get(securityGroups, subject),
      facts.get(remoteMembers, subject),
      facts.get(resolutions, subject),
      facts.get(servingRouters, subject),
      sourcesOf(facts, subject),
    ]);
    const here: From = {
      source: { kind: 'operator', name: 'here', host: 'here' },
      sender: { from: 'operator', host: 'here' },
      addressesIn: () => [],
    };
    const places: readonly From[] = runsOf(ofFloating).length > 0 ? [...froms, here] : froms;
    const { instance, beyond } = sentRows(subject, places, {
      inside,
      outside,
      groups: groups.ok ? groups.value.value : undefined,
      members: members.ok ? members.value.value : undefined,
      resolved: resolved.ok ? resolved.value.value : [],
    });
    const isSick = (cell: MatrixCell): boolean => cell.state === 'lost' || cell.state === 'partly';
    const noLease = async (): Promise<boolean> => {
      if (subject.instance === undefined || instance.cells.some((c) => c.state === 'ok')) return false;
      const text = await facts.get(consoleText, subject.instance);
      const log = text.ok ? parseConsoleLog(text.value.value) : undefined;
      return log?.ok === true && log.value.noLease && log.value.lease === undefined;
    };
    // A machine that reaches nothing outside says nothing of the instance: the router's own address is the control.
    const reaches = beyond.some((r) => r.kind === 'router-outside' && r.cells.some((c) => c.state === 'ok'));
    const telling = beyond.filter((r) => r.kind === 'outside' || (r.kind === 'floating-ip' && reaches));
    if (![instance, ...telling].some((row) => row.cells.some(isSick)) && !(await noLease()))
      return err({ kind: 'unsupported', because: allAnswered });

    const serving = routers.ok ? routers.value.value : [];
    const found = await neighboursOf(facts, subject, serving);
    const again = await facts.get(secondLook, subject);
    await otherLooks(facts, subject);
    const lostWhole = [instance, ...telling].some((row) => row.cells.some((c) => c.state === 'lost'));
    // One packet that is lost once is no reason to look for a half that is sick.
    if (!lostWhole && again.ok && again.value.value.repeated.every((r) => r.again.received === r.again.sent))
      return err({ kind: 'unsupported', because: 'what was lost came through when it was sent again' });
    const asked = await askedRows(facts, subject, { places, address: instance.address, found, routers: serving });
    const rows = [instance, ...asked, ...beyond];
    const matrix: Matrix = {
      title: `${instance.name} ${instance.address}`,
      sources: places.map((p) => p.source),
      rows,
    };
    const reading = readMatrix(matrix);
    const evidence = rows.flatMap((r) => r.cells.flatMap((c) => (c.state === 'not-asked' ? [] : [c.evidence])));
    return observed(reading === undefined ? matrix : { ...matrix, reading: reading.words }, ...evidence);
  },
);
