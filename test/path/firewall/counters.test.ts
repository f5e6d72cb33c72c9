import { describe, expect, test } from 'vitest';
import { parseEbtables } from '../../../src/nodes/parse/ebtables.ts';
import {
  type Counted,
  countedEbtables,
  countedFlows,
  countedIptables,
  counterDelta,
  type Rise,
} from '../../../src/path/firewall/counters.ts';
import { strangersOf } from '../../../src/path/firewall/strangers.ts';
import { flows, iptables, text } from './samples.ts';

const save = text('lb', 'cmp1', 'iptables-save-c.txt');
const DROP = '-A FORWARD -m physdev --physdev-out tap789390a7-5f --physdev-is-bridged -p icmp -j DROP';
const withDrop = (packets: number): string =>
  save.replace(/^\[\d+:\d+\] -A FORWARD/m, (first) => `[${packets}:${packets * 84}] ${DROP}\n${first}`);
const rules = (output: string): readonly Counted[] => countedIptables(iptables(output), 4);
const words = (rises: readonly Rise[]): readonly string[] =>
  rises.map(({ counted, packets, how }) => `${counted.where} +${packets} ${how}`);

describe('counters between two looks', () => {
  test('nothing rose when nothing happened', () => {
    expect(counterDelta(rules(save), rules(save))).toEqual([]);
  });

  test('the rule that took the five packets is named, and what they passed before it', () => {
    const after = withDrop(5).replace(
      '[4:336] -A neutron-linuxbri-i789390a7-5 -p icmp',
      '[6:504] -A neutron-linuxbri-i789390a7-5 -p icmp',
    );
    const rises = counterDelta(rules(withDrop(0)), rules(after));
    expect(words(rises)).toEqual(['filter FORWARD #1 +5 counted', 'filter neutron-linuxbri-i789390a7-5 #6 +2 counted']);
    expect(rises[0]?.bytes).toBe(420);
    expect(rises[0]?.counted.target).toBe('DROP');
  });

  test('rules that moved are still the same rules', () => {
    expect(words(counterDelta(rules(save), rules(withDrop(5))))).toEqual(['filter FORWARD #1 +5 new']);
    expect(counterDelta(rules(withDrop(5)), rules(save))).toEqual([]);
  });

  test('a counter that fell was made anew', () => {
    expect(words(counterDelta(rules(withDrop(9)), rules(withDrop(2))))).toEqual(['filter FORWARD #1 +2 reset']);
  });

  test('two equal rules of a chain are told apart', () => {
    const twice = (first: number, second: number): string =>
      withDrop(second).replace(/^\[\d+:\d+\] -A FORWARD/m, (rule) => `[${first}:0] ${DROP}\n${rule}`);
    expect(words(counterDelta(rules(twice(1, 1)), rules(twice(1, 6))))).toEqual(['filter FORWARD #2 +5 counted']);
  });

  test('policies count too', () => {
    const rises = counterDelta(rules(save), rules(save.replace(':FORWARD ACCEPT [0:0]', ':FORWARD ACCEPT [3:252]')));
    expect(words(rises)).toEqual(['filter FORWARD policy +3 counted']);
    expect(rises[0]?.counted.target).toBe('ACCEPT');
  });

  test('flows are the same whatever their age', () => {
    const dump = text('ovsfw', 'cmp1', 'ovs-ofctl-dump-flows-br-int.txt');
    const later = dump.replaceAll('idle_age=104', 'idle_age=3').replace(/(table=93, n_packets=)0/, '$15');
    const of = (output: string): readonly Counted[] => countedFlows('br-int', flows(output));
    expect(words(counterDelta(of(dump), of(later)))).toEqual(['br-int table 93 +5 counted']);
  });

  test('ebtables counts, in the order of its chains', () => {
    const of = (output: string): readonly Counted[] => {
      const parsed = parseEbtables(output);
      return parsed.ok ? countedEbtables(parsed.value) : [];
    };
    const list = text('lb', 'cmp1', 'ebtables.txt');
    const rises = counterDelta(of(list), of(list.replace('-j DROP , pcnt = 0', '-j DROP , pcnt = 4')));
    expect(words(rises)).toEqual(['ebtables nat neutronARP-tap789390a7-5f #2 +4 counted']);
  });

  test('the greatest rise comes first', () => {
    const counted = (key: string, packets: number): Counted => ({
      key,
      where: key,
      raw: key,
      packets,
      bytes: 0,
      target: '',
    });
    const rises = counterDelta([counted('a', 0), counted('b', 0)], [counted('a', 1), counted('b', 7)]);
    expect(rises.map(({ packets }) => packets)).toEqual([7, 1]);
  });

  test('a stranger is known by the key of its counter', () => {
    const [drop] = strangersOf({ iptables: [{ family: 4, dump: iptables(withDrop(5)) }] });
    expect(rules(withDrop(5)).find(({ key }) => key === drop?.key)?.packets).toBe(5);
    const hand = ' cookie=0x0, table=0, n_packets=5, n_bytes=490, priority=65000,icmp actions=drop';
    const bridge = flows(text('ovsfw', 'cmp1', 'ovs-ofctl-dump-flows-br-int.txt') + hand);
    const [flow] = strangersOf({ bridges: [{ name: 'br-int', flows: bridge }] });
    expect(countedFlows('br-int', bridge).find(({ key }) => key === flow?.key)?.packets).toBe(5);
  });
});
