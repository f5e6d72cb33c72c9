import { fixture } from '../nodes/parse/fixtures.ts';
import { bundleAt } from '../support/replayed.ts';
import { taken, tracedPoints, untold, withOpinion } from '../support/traced.ts';
import type { Case } from './cases.ts';

const last = tracedPoints.length - 1;
const tap = tracedPoints[last]?.device ?? '';
const silent = await bundleAt('test/fixtures/bundles/trace-not-told.tgz');
const stopped = await bundleAt('demo/trace-stopped.tgz');
const passedOn = await withOpinion(taken('there', last), fixture('ovs-appctl', 'ofproto-trace-request.txt'));

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
    bundle: () => stopped,
  },
  {
    says: 'a question that nobody answered is told, for the packet itself was never sent',
    code: 'OSD-PATH-002',
    names: 'held back by address resolution',
    bundle: untold,
  },
  {
    says: 'a switch whose flows let a packet out that does not come out is told',
    code: 'OSD-PATH-007',
    names: tap,
    bundle: () => passedOn,
  },
];
