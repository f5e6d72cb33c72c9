import type { Bundle } from '../../src/bundle/open.ts';
import { editingOutput } from '../support/edit-bundle.ts';
import { asking } from '../support/edit-ovn.ts';
import { bundleAt } from '../support/replayed.ts';
import type { Case } from './cases.ts';

const healthy = await bundleAt('demo/ovn-healthy.tgz');
const aclMissing = await bundleAt('demo/ovn-acl-missing.tgz');
const handMadeFlow = await bundleAt('demo/ovn-hand-made-flow.tgz');
const flowDeleted = await bundleAt('test/fixtures/bundles/ovn-flow-deleted.tgz');

const compute = 'cmp1';

/** Where the instance's metadata namespace pinged it: its own address. */
const address: string = (() => {
  const ping = healthy.hosts.get(compute)?.commands.find((c) => c.netns !== undefined && c.argv[0] === 'ping');
  const to = ping?.argv.at(-1);
  if (to === undefined) throw new Error(`${healthy.file} has no ping from a metadata namespace`);
  return to;
})();

/** Begins no row's UUID. */
const cookie = 'deadbeef';
/** What a tool of OVN's prints of a table in which it finds nothing. */
const noRows = '{"data":[],"headings":["_uuid"]}';

/** As the southbound database answers for a cookie that is no row's: the two tables that nearly all flows are made of, then the rest. */
const ownedByNone = (bundle: Bundle): Bundle =>
  [
    ['Logical_Flow', 'Port_Binding'],
    ['MAC_Binding', 'Multicast_Group', 'FDB', 'Load_Balancer', 'Chassis', 'Datapath_Binding'],
  ].reduce(
    (edited, tables) =>
      asking(
        edited,
        'ovn-sbctl',
        tables.map((table) => ({ words: ['--if-exists', 'list', table, cookie], line: noRows })),
      ),
    bundle,
  );

/** What only packets, and what switches and databases say of them, show. */
export const ovnPacketCases: readonly Case[] = [
  {
    says: 'a packet that the logical flows do not deliver is told with the stage in which it ends',
    code: 'OSD-OVN-060',
    names: 'it ends in ls_out_acl (egress)',
    bundle: () => aclMissing,
  },
  {
    says: 'a flow that somebody made by hand and that takes packets is named by its table and match',
    code: 'OSD-OVN-061',
    names: `flow br-int table=65 icmp,`,
    bundle: () => handMadeFlow,
  },
  {
    says: 'a chassis that drops what the logical flows deliver is told to lack a flow',
    code: 'OSD-OVN-062',
    names: `flows of br-int@${compute}`,
    bundle: () => flowDeleted,
  },
  {
    says: 'packets that a chassis drops and that the logical flows were not asked about are told',
    code: 'OSD-OVN-063',
    names: `${compute} drops the answer to the ping from`,
    bundle: () => flowDeleted,
  },
  {
    says: 'a flow that belongs to no row and could take packets of the instance is worth a word',
    code: 'OSD-OVN-064',
    names: `flow br-int table=20 table=20,priority=40000,tcp,nw_src=${address},tp_src=8443@${compute}`,
    bundle: () =>
      ownedByNone(
        editingOutput(
          healthy,
          compute,
          'dump-flows br-int',
          (flows) =>
            `${flows.trimEnd()}\n cookie=0x${cookie}, duration=12.5s, table=20, n_packets=0, n_bytes=0, idle_age=12, priority=40000,tcp,nw_src=${address},tp_src=8443 actions=drop\n`,
        ),
      ),
  },
  {
    says: 'an instance that does not answer the metadata namespace of its own host is told',
    code: 'OSD-OVN-065',
    names: `ping ovnmeta@${compute} → ${address}`,
    bundle: () => aclMissing,
  },
];
