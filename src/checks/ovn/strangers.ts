import { defineCheck, judged } from '../../engine/check.ts';
import { findingOf } from '../../engine/finding-of.ts';
import type { Io } from '../../facts/io.ts';
import { ovnStrangers } from '../../facts/ovn/strangers.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { flowSpec } from '../../path/firewall/strangers/flows.ts';
import { deletingRule } from '../remedies.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { foreignFlow, oddityWords } from './codes-packets.ts';

const needs = { strangers: ovnStrangers };

/** Whether they take what matters is told by ovn.forecast; here it is only that they could. */
export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'ovn.strangers',
  per: 'port',
  families: ['ovn'],
  title: 'Every flow that could end packets of the instance is one that OVN made',
  needs,
  findings: [foreignFlow],
  judge: ({ subject, facts }) => {
    const strangers = facts.strangers.value;
    return judged(
      strangers.map(({ host, bridge, flow, why, evidence }) =>
        findingOf(foreignFlow, {
          summary: `${bridge} on ${host} has a flow in table ${flow.table} that OVN did not make and that could take packets of ${ownerName(subject)}: ${oddityWords[why]}`,
          subject: `flow ${bridge} table=${flow.table} ${flowSpec(flow)}@${host}`,
          scope: portScope(subject, { host: [host] }),
          confidence: 'likely',
          evidence,
          remedies: [deletingRule(host, ['ovs-ofctl', '--strict', 'del-flows', bridge, flowSpec(flow)])],
          verify: verifyWith('net', subject),
        }),
      ),
      'every suspicious flow is explained by a row of the southbound database',
      facts.strangers.evidence,
    );
  },
});
