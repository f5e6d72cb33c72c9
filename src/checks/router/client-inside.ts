import { defineCheck, judged, skipped } from '../../engine/check.ts';
import { observed } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { floatingIps, portSubnets } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { cidrsOverlap } from '../../path/addresses.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { clientInside } from './codes.ts';

const client = source<PortSubject, string | undefined>(
  'run.from',
  () => '',
  async (_, facts) => observed(facts.io.options.from),
);

const needs = { from: client, subnets: portSubnets, floating: floatingIps };

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'router.client-inside',
  per: 'port',
  title: "The client's address does not lie in the instance's own subnet",
  families: ['agents', 'routed'],
  needs,
  findings: [clientInside],
  judge: ({ subject, facts }) => {
    const from = facts.from.value;
    if (from === undefined) return skipped('no client named (--from)');
    if (facts.floating.value.length === 0) return skipped('the port has no floating address');
    const [evidence] = facts.subnets.evidence;
    if (evidence === undefined) throw new Error('subnets without evidence');
    const own = new Set(subject.port.value.fixed_ips.map((f) => f.subnet_id));
    const findings = facts.subnets.value
      .filter((s) => own.has(s.id) && cidrsOverlap(s.cidr, from))
      .map((s): Finding => {
        const floating = facts.floating.value[0]?.floating_ip_address ?? '';
        return findingOf(clientInside, {
          summary: `The client ${from} lies inside ${s.cidr}, the subnet of ${ownerName(subject)} itself: it gets no answer through ${floating}`,
          subject: `client ${from}`,
          scope: portScope(subject),
          evidence: [showing(evidence, `subnet ${s.name ?? s.id} ${s.cidr}; client ${from}; floating IP ${floating}`)],
          remedies: [
            {
              title: 'keep the two networks apart',
              risk: 'disruptive',
              sufficient: false,
              steps: [
                advice(
                  `renumber the client's network or the tenant's subnet: replies to ${from} are sent on the instance's own network and never reach the router`,
                ),
              ],
            },
          ],
          verify: verifyWith('router', subject),
        });
      });
    return judged(findings, `${from} lies outside the subnets of the port`, facts.subnets.evidence, [
      'client inside the subnet',
    ]);
  },
});
