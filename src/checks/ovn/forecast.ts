import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { type Forecast, type Forecasts, type Leg, ovnForecasts } from '../../facts/ovn/forecasts.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { TracedFlow } from '../../nodes/parse/ofproto-trace.ts';
import type { LogicalHit } from '../../nodes/parse/ovn-trace.ts';
import { ovsdbMap } from '../../nodes/parse/ovsdb.ts';
import { nextUnused, shortUuid, strangerOn } from '../../path/ovn/compare-walks.ts';
import { deletingRule } from '../remedies.ts';
import { portScope, verifyWith } from '../scope.ts';
import { chassisDrops, flowMissing, handFlow, logicalDrop, oddityWords } from './codes-packets.ts';

const needs = { forecasts: ovnForecasts };

/** Table, priority and match, as `del-flows --strict` takes them. */
const specOf = (flow: TracedFlow): string => {
  const match = flow.match.replace(/(?:^|, )priority \d+$/, '');
  return [`table=${flow.table}`, `priority=${flow.priority ?? 0}`, ...(match === '' ? [] : [match])].join(',');
};

/** `br-int table 46: ip,reg15=0x3, priority 2001` */
const flowWords = (flow: TracedFlow): string => `${flow.bridge} table ${flow.table}: ${flow.match}`;

/** The flow of a bridge that ovn-controller does not fill: OVS gives such a bridge one that makes it a plain switch. */
const onOtherBridge = (leg: Leg): TracedFlow | undefined => {
  const last = leg.says.flows.at(-1);
  return leg.says.delivers || last === undefined || last.match === 'no match' || last.priority === 0 ? undefined : last;
};

function stranger(forecast: Forecast, owners: Forecasts['owners'], bridges: ReadonlySet<string>) {
  const ordered = forecast.logical?.ok === true && forecast.logical.value.arrives;
  for (const leg of forecast.legs) {
    const integration = leg.says.flows.find((f) => bridges.has(f.bridge))?.bridge;
    const found = integration === undefined ? undefined : strangerOn(leg.says.flows, integration, owners, ordered);
    if (found !== undefined) return { leg, ...found };
    const elsewhere = onOtherBridge(leg);
    if (elsewhere !== undefined && elsewhere.bridge !== integration) {
      return { leg, flow: elsewhere, why: 'no-cookie' as const };
    }
  }
  return undefined;
}

/** What a logical flow was made of: the row of the NB that northd notes in short (ovn-sb(5), Logical_Flow, external_ids:stage-hint). */
function madeOf(hit: LogicalHit, owners: Forecasts['owners']): string {
  const [owner] = hit.flow === undefined ? [] : (owners.get(hit.flow.uuid.padStart(8, '0')) ?? []);
  const hint = owner === undefined ? undefined : ovsdbMap(owner.row, 'external_ids').get('stage-hint');
  return hint === undefined ? '' : `, made of row ${hint} of the northbound database`;
}

const stageWords = (hit: LogicalHit): string =>
  `${hit.pipeline} stage ${hit.table} ${hit.stage}${hit.flow === undefined ? ', where no flow takes it' : ` (${hit.flow.match}, priority ${hit.flow.priority}, uuid ${hit.flow.uuid})`}`;

/** ovn-controller compares all flows with what it wants when it starts; `exit --restart` keeps them until then. */
const restarting = (host: string): Remedy => ({
  title: 'let ovn-controller compare its flows with those of the bridge',
  risk: 'brief-interruption',
  sufficient: true,
  steps: [
    onHost(host, ['ovn-appctl', '-t', 'ovn-controller', 'exit', '--restart'], 'flows and tunnels stay as they are'),
    restartOf(host, 'ovn-controller'),
  ],
});

/** What the SB was asked about the flow, where its cookie could be a row's. */
const ownerEvidence = (flow: TracedFlow, { owners, ownersEvidence }: Forecasts): readonly Evidence[] => {
  const short = shortUuid(flow.cookie);
  const found = short === undefined ? undefined : owners.get(short);
  if (found === undefined) return [];
  const [row] = found;
  const said =
    row === undefined
      ? `no row ${short ?? ''}`
      : `${row.table} ${short ?? ''}: ${row.pipeline ?? ''} table ${row.tableId ?? '?'}, priority ${row.priority ?? '?'}`;
  return ownersEvidence.slice(0, 1).map((e) => showing(e, said));
};

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'ovn.forecast',
  per: 'port',
  families: ['ovn'],
  title: "The flows of the chassis do with packets what Neutron's API says",
  needs,
  findings: [logicalDrop, handFlow, flowMissing, chassisDrops],
  judge: ({ subject, facts }) => {
    const { forecasts, owners, integrationBridges } = facts.forecasts.value;
    if (forecasts.length === 0) return skipped('the security groups let nothing through that could be asked about');
    const verify = verifyWith('net', subject);
    /** Packets that end at one place are one trouble: the first is named, the rest are counted. */
    const troubles = new Map<string, { readonly tell: (packets: string) => Finding; readonly names: string[] }>();
    const add = (key: string, name: string, tell: (packets: string) => Finding): void => {
      const known = troubles.get(key);
      if (known === undefined) troubles.set(key, { tell, names: [name] });
      else known.names.push(name);
    };
    for (const forecast of forecasts) {
      const { ending, journey, logical } = forecast;
      if (ending.kind !== 'lost' && ending.kind !== 'astray') continue;
      const shown = (leg: Leg, flow: TracedFlow, more: readonly string[] = []): Evidence =>
        showing(leg.evidence, [flowWords(flow), ...more, `Datapath actions: ${leg.says.actions}`]);
      const odd = stranger(forecast, owners, integrationBridges);
      if (odd !== undefined) {
        const { leg, flow } = odd;
        const subjectOfFlow = `flow ${flow.bridge} table=${flow.table} ${flow.match}@${leg.host}`;
        add(`hand ${subjectOfFlow}`, journey.name, (packets) =>
          findingOf(handFlow, {
            summary: `A flow that OVN did not make ${ending.kind === 'astray' ? 'leads away' : 'drops'} ${packets}: ${flow.bridge} table ${flow.table} on ${leg.host}`,
            subject: subjectOfFlow,
            scope: portScope(subject, { host: [leg.host] }),
            evidence: [
              shown(leg, flow, [`cookie ${flow.cookie ?? '0x0'}: ${oddityWords[odd.why]}`]),
              ...ownerEvidence(flow, facts.forecasts.value),
            ],
            remedies: [deletingRule(leg.host, ['ovs-ofctl', '--strict', 'del-flows', flow.bridge, specOf(flow)])],
            verify,
          }),
        );
        continue;
      }
      const { leg, flow } = ending;
      if (logical?.ok === true && !logical.value.arrives) {
        const { trace, evidence } = logical.value;
        const hit = trace.hits.at(-1);
        const named = `logical flow ${hit?.flow?.uuid ?? hit?.stage ?? ''}`;
        add(named, journey.name, (packets) =>
          findingOf(logicalDrop, {
            summary: `OVN's logical flows do not deliver ${packets}: it ends in ${hit === undefined ? 'no stage' : `${hit.stage} (${hit.pipeline})`}`,
            subject: named,
            scope: portScope(subject, { host: [...new Set(forecast.legs.map((l) => l.host))] }),
            confidence: 'likely',
            evidence: [
              showing(evidence, hit === undefined ? [] : [`${stageWords(hit)}${madeOf(hit, owners)}`, ...hit.actions]),
              shown(leg, flow),
            ],
            verify,
          }),
        );
      } else if (logical?.ok === true) {
        const unused = nextUnused(
          logical.value.trace,
          forecast.legs.flatMap((l) => l.says.flows),
        );
        const lacks =
          unused === undefined
            ? ': nothing leads it on to its port'
            : `: no flow of ${unused.stage} (${unused.flow?.uuid ?? ''}) took it`;
        add(`missing ${leg.host} ${flow.bridge} ${flow.table}`, journey.name, (packets) =>
          findingOf(flowMissing, {
            summary: `${leg.host} drops ${packets} in ${flow.bridge} table ${flow.table}, though OVN's logical flows deliver it${lacks}`,
            subject: `flows of ${flow.bridge}@${leg.host}`,
            scope: portScope(subject, { host: [leg.host] }),
            confidence: 'likely',
            evidence: [
              shown(leg, flow),
              showing(
                logical.value.evidence,
                unused === undefined
                  ? logical.value.trace.outputs.map((o) => `output to "${o.port}", type "${o.type}"`)
                  : [stageWords(unused)],
              ),
            ],
            remedies: [restarting(leg.host)],
            verify,
          }),
        );
      } else {
        const row = shortUuid(flow.cookie);
        add(`drops ${leg.host} ${flow.bridge} ${flow.table} ${flow.match}`, journey.name, (packets) =>
          findingOf(chassisDrops, {
            summary: `${leg.host} ${ending.kind === 'astray' ? `leads ${packets} away to ${ending.where}` : `drops ${packets}`} in ${flow.bridge} table ${flow.table}`,
            subject: `flow ${flow.bridge} table=${flow.table} ${flow.match}@${leg.host}`,
            scope: portScope(subject, { host: [leg.host] }),
            confidence: 'likely',
            evidence: [shown(leg, flow)],
            remedies:
              row === undefined
                ? []
                : [
                    {
                      title: 'see which logical flow it was made of',
                      risk: 'none',
                      sufficient: false,
                      steps: [advice(`ovn-sbctl list Logical_Flow ${row}, where the southbound database is`)],
                    },
                  ],
            verify,
          }),
        );
      }
    }
    const findings = [...troubles.values()].map(({ tell, names: [first = '', ...more] }) =>
      tell(more.length === 0 ? first : `${first} and ${more.length} more of its packets`),
    );
    const arrived = forecasts.filter((f) => f.ending.kind === 'arrived').length;
    const unknown = forecasts.length - arrived;
    return judged(
      findings,
      `${arrived} of ${forecasts.length} packets would arrive${unknown === 0 ? '' : `, ${unknown} not followed to the end`}`,
      facts.forecasts.evidence,
      unknown === 0 ? ['flows of the chassis'] : [],
    );
  },
});
