import { fixture } from '../nodes/parse/fixtures.ts';
import { withoutFrames } from '../support/edit-capture.ts';
import { dropping, leased, offering, unleased } from '../support/leased.ts';
import { bundleAt, reportOf } from '../support/replayed.ts';
import { taken, tracedPoints, untold, withOpinion, withServices } from '../support/traced.ts';
import type { Case } from './cases.ts';

const last = tracedPoints.length - 1;
const tap = tracedPoints[last]?.device ?? '';
const silent = await bundleAt('test/fixtures/bundles/trace-not-told.tgz');
const device = /tap[0-9a-f-]{11}/.exec((await reportOf(silent)).traces?.[0]?.points.at(-1)?.device ?? '')?.[0];
const passedOn = withServices(
  await withOpinion(taken('there', last), fixture('ovs-appctl', 'ofproto-trace-request.txt')),
  silent,
);

/** What only packets that were followed through their points show. */
export const traceCases: readonly Case[] = [
  {
    says: 'a guest to whose tap every packet came and that answers none is told',
    code: 'OSD-PATH-001',
    names: 'web-1',
    bundle: () => silent,
  },
  {
    says: 'the place is told at which packets were seen, and the next at which they were not',
    code: 'OSD-PATH-002',
    names: '→ tap',
    bundle: () => withoutFrames(silent, 'cmp1', device, () => true),
  },
  {
    says: 'a question for the address that the instance does not answer is told, for the packet itself was never sent',
    code: 'OSD-PATH-001',
    names: 'held back by address resolution',
    bundle: () => untold(silent),
  },
  {
    says: 'a switch whose flows let a packet out that does not come out is told',
    code: 'OSD-PATH-007',
    names: tap,
    bundle: () => passedOn,
  },
  {
    says: 'a service to which the request of an instance came, and that did not answer it, is told',
    code: 'OSD-PATH-008',
    names: 'dhcp on net1',
    bundle: () => unleased,
  },
  {
    says: 'a switch that would drop what the instance asks for first is told, by the flow',
    code: 'OSD-PATH-009',
    names: 'br-int on cmp1',
    bundle: () => dropping(unleased, 'cmp1'),
  },
  {
    says: 'an offer of another address than the port has is told',
    code: 'OSD-DHCP-011',
    names: '10.0.0.23 instead of 10.0.0.22',
    bundle: () => offering(leased, [10, 0, 0, 22], [10, 0, 0, 23]),
  },
  {
    says: 'a DHCP server that is not of Neutron is told',
    code: 'OSD-DHCP-012',
    names: '10.0.0.66',
    bundle: () => offering(leased, [54, 4, 10, 0, 0, 2], [54, 4, 10, 0, 0, 66]),
  },
];
