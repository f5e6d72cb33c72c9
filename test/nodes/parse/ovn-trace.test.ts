import { describe, expect, test } from 'vitest';
import { type OvnTrace, parseOvnTrace } from '../../../src/nodes/parse/ovn-trace.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const traced = (name: string): OvnTrace => understood(parseOvnTrace(fixture('ovn', `trace/${name}.txt`)));
const stages = (trace: OvnTrace): readonly string[] => trace.hits.map((h) => h.stage);

describe('what ovn-trace says of a packet', () => {
  test('a way through switch, router and the switch outside, to the port of a physical network', () => {
    const outside = traced('outside');
    expect(outside.outputs.at(-1)).toEqual({ port: 'provnet-964205c0-83f8-488f-a074-0ec701ffea52', type: 'localnet' });
    expect(stages(outside)).toContain('lr_in_ip_routing');
    expect(outside.hits[0]).toMatchObject({
      pipeline: 'ingress',
      table: 0,
      stage: 'ls_in_check_port_sec',
      flow: { match: '1', priority: 50, uuid: '3f85fcec' },
    });
  });

  test('what ovn-controller answers comes back by the port that asked', () => {
    for (const name of ['dhcp', 'arp']) {
      expect(traced(name).outputs.map((o) => o.port)).toEqual(['608a92c3-83a9-4d8f-8e60-734e7cc7c0c3']);
    }
  });

  test('what no rule of a group lets in ends in the stage of the ACLs, by the row that drops it', () => {
    const denied = traced('denied');
    expect(denied.outputs).toEqual([]);
    expect(denied.hits.at(-1)).toEqual({
      datapath: '7a4917fd-5bdc-4692-ab1d-07abd213220b',
      pipeline: 'egress',
      table: 4,
      stage: 'ls_out_acl',
      flow: { match: 'reg0[9] == 1 && (outport == @neutron_pg_drop && ip)', priority: 2001, uuid: '564223de' },
      actions: ['drop;'],
    });
  });

  test('what is sent in the name of another ends at the port security', () => {
    expect(traced('spoofed').hits.at(-1)).toMatchObject({ stage: 'ls_in_apply_port_sec', actions: ['drop;'] });
  });

  test('a stage is told without the place in its source, and where no flow takes the packet', () => {
    const text = 'ingress(dp="sw0", inport="p1")\n---\n 0. ls_in_port_sec_l2: no match (implicit drop)\n';
    expect(understood(parseOvnTrace(text)).hits).toMatchObject([{ stage: 'ls_in_port_sec_l2', table: 0 }]);
    expect(understood(parseOvnTrace(text)).hits[0]?.flow).toBeUndefined();
  });

  test('anything else is not understood', () => {
    expect(parseOvnTrace(fixture('ovn', 'trace/wrong.txt')).ok).toBe(false);
    expectNeverThrows(
      parseOvnTrace,
      fixtures('ovn/trace').map((f) => f.text),
    );
  });
});
