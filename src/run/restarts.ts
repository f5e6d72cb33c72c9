import type { FactStore } from '../engine/fact.ts';
import type { Finding, RemedyStep } from '../engine/finding.ts';
import type { Outcome } from '../engine/outcome.ts';
import { hostLayout, hostServices } from '../facts/host.ts';
import type { Io } from '../facts/io.ts';
import { isServiceName } from '../nodes/layouts/layout.ts';

/** A step as it is typed on its host: `docker restart neutron_l3_agent` on one, `systemctl restart neutron-l3-agent` on another. */
async function typed(step: RemedyStep, facts: FactStore<Io>): Promise<RemedyStep> {
  const { restarts, ...plain } = step;
  if (restarts === undefined || step.where.kind !== 'host') return plain;
  const layout = await facts.get(hostLayout, step.where.host);
  if (!layout.ok) return plain;
  const how = layout.value.value;
  const seen = await facts.get(hostServices, step.where.host);
  const state = seen.ok ? seen.value.value.find((s) => s.service === restarts) : undefined;
  if (state !== undefined && state.state !== 'absent' && how.name !== 'kolla' && how.name !== 'tripleo') {
    return { ...plain, argv: ['systemctl', 'restart', state.unit] };
  }
  return isServiceName(restarts) ? { ...plain, argv: how.restart(restarts) } : plain;
}

async function reworded(finding: Finding, facts: FactStore<Io>): Promise<Finding> {
  if (!finding.remedies.some((r) => r.steps.some((s) => s.restarts !== undefined))) return finding;
  const remedies = await Promise.all(
    finding.remedies.map(async (r) => ({ ...r, steps: await Promise.all(r.steps.map((s) => typed(s, facts))) })),
  );
  return { ...finding, remedies };
}

/** Every restart that an outcome proposes, in the words of the host it is typed on. */
export async function withRestarts(outcome: Outcome, facts: FactStore<Io>): Promise<Outcome> {
  if (outcome.status !== 'problem') return outcome;
  const [first, ...rest] = outcome.findings;
  return {
    ...outcome,
    findings: [await reworded(first, facts), ...(await Promise.all(rest.map((f) => reworded(f, facts))))],
  };
}
