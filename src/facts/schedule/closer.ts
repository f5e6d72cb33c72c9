import type { Evidence } from '../../engine/evidence.ts';
import type { Schedule } from '../../engine/schedule.ts';
import { closestByAmount } from '../../schedule/closest.ts';
import type { ComputeNode, Estate, HostFacts } from '../../schedule/estate.ts';
import type { Wish } from '../../schedule/wish.ts';
import type { Store } from '../io.ts';
import { computeNode, placedOn } from './compute-node.ts';
import { hypervisorOf } from './estate.ts';
import { ioOps } from './io-ops.ts';
import { closely } from './providers.ts';
import { straysOf } from './strays.ts';

/** Compute nodes that are looked at by SSH, hosts that are looked at for strays, and instances of one host whose cells are asked for. */
const mostNodes = 32;
const mostForStrays = 24;
const mostInstances = 60;

/** Filters that the compute nodes themselves can answer. */
const byNode = /^(NUMATopologyFilter|PciPassthroughFilter)$/;

/** Hosts of which a step is open that only the node itself can answer, or answers better than the API: those of libvirt. */
function open({ columns, rows }: Schedule, { hosts }: Estate): readonly HostFacts[] {
  const steps = columns.flatMap((c, i) => (byNode.test(c.id) ? [i] : []));
  const names = new Set(
    rows.flatMap(({ hosts: of, verdicts, stoppedAt = columns.length }) =>
      steps.some((i) => i <= stoppedAt && verdicts[i]?.state !== 'passes') ? of : [],
    ),
  );
  return hosts.filter(
    ({ host, node, hypervisor: { type } }) =>
      (names.has(host) || names.has(node)) && (type === undefined || /^(qemu|kvm)$/i.test(type)),
  );
}

/** What compute nodes show of themselves: of those that come into question, one for each host, as far as they let us look. */
async function nodesOf(
  facts: Store,
  hosts: readonly HostFacts[],
): Promise<{ readonly nodes: ReadonlyMap<string, ComputeNode>; readonly evidence: readonly Evidence[] }> {
  const nodes = new Map<string, ComputeNode>();
  const evidence: Evidence[] = [];
  const byName = new Map(hosts.map((h) => [h.host, h]));
  await Promise.all(
    [...byName].slice(0, mostNodes).map(async ([name, host]) => {
      const [found, placed] = await Promise.all([facts.get(computeNode, name), placedOn(facts, host, mostInstances)]);
      if (!found.ok) return;
      nodes.set(name, { ...found.value.value, ...(placed === undefined ? {} : { placed }) });
      if (evidence.length < 6) evidence.push(...found.value.evidence);
    }),
  );
  return { nodes, evidence };
}

/** Strays on the hosts that come closest, of more providers than are each asked for what they hold. */
async function straysNear(
  facts: Store,
  wish: Wish,
  estate: Estate,
): Promise<{ readonly estate: Estate; readonly evidence: readonly Evidence[] } | undefined> {
  const all = closestByAmount(wish, estate);
  if (all.length === 0) return undefined;
  const near = all.slice(0, mostForStrays);
  const shown = await Promise.all(near.map((h) => hypervisorOf(facts, h.provider ?? '')));
  const withInstances = near.flatMap((h, i): HostFacts[] => {
    const answer = shown[i];
    return answer?.ok === true
      ? [{ ...h, instances: (answer.value.value.hypervisor.servers ?? []).map((s) => s.uuid) }]
      : [];
  });
  const roots = new Set(withInstances.flatMap((h) => h.provider ?? []));
  const found = await straysOf(
    facts,
    withInstances,
    estate.providers.filter((p) => roots.has(p.root)),
  );
  if (!found.ok) return undefined;
  return {
    estate: {
      ...estate,
      strays: found.value.value,
      strayLook: { looked: withInstances.length, hosts: estate.hosts.length },
    },
    evidence: found.value.evidence,
  };
}

/** The cloud with the operations that nova-compute counts, which a hypervisor's workload is not. */
async function withIoOps(
  facts: Store,
  estate: Estate,
): Promise<{ readonly estate: Estate; readonly evidence: readonly Evidence[] } | undefined> {
  const found = await ioOps(
    facts,
    estate.hosts.some((h) => (h.hypervisor.ioOps ?? 0) > 0),
  );
  if (!found.ok) return undefined;
  const { value, evidence } = found.value;
  const hosts = estate.hosts.map((h) =>
    h.hypervisor.ioOps === undefined ? h : { ...h, hypervisor: { ...h.hypervisor, ioOps: value.get(h.host) ?? 0 } },
  );
  return { estate: { ...estate, hosts }, evidence };
}

/** Whether a filter that counts operations is come to. */
const countsIoOps = ({ columns, rows }: Schedule): boolean =>
  columns.some(
    (c, i) => /^(Aggregate)?IoOpsFilter$/.test(c.id) && rows.some((r) => i <= (r.stoppedAt ?? columns.length)),
  );

/** The cloud with a closer look at what the answer hangs on; undefined where there is nothing more to see. */
export async function lookedCloser(
  facts: Store,
  wish: Wish,
  estate: Estate,
  schedule: Schedule,
): Promise<{ readonly estate: Estate; readonly evidence: readonly Evidence[] } | undefined> {
  const hosts = open(schedule, estate);
  const isShort = schedule.verdict === 'no-host' && estate.providers.length > closely;
  const [seen, near, busy] = await Promise.all([
    hosts.length === 0 ? undefined : nodesOf(facts, hosts),
    isShort ? straysNear(facts, wish, estate) : undefined,
    countsIoOps(schedule) ? withIoOps(facts, estate) : undefined,
  ]);
  if ((seen === undefined || seen.nodes.size === 0) && near === undefined && busy === undefined) return undefined;
  const { strays, strayLook } = near?.estate ?? estate;
  return {
    estate: {
      ...(busy?.estate ?? estate),
      strays,
      ...(strayLook === undefined ? {} : { strayLook }),
      ...(seen === undefined ? {} : { nodes: seen.nodes }),
    },
    evidence: [...(seen?.evidence ?? []), ...(near?.evidence ?? []), ...(busy?.evidence ?? [])],
  };
}
