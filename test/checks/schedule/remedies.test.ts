import { describe, expect, it } from 'vitest';
import { lacksResources, noLiveCompute } from '../../../src/checks/schedule/codes.ts';
import { remediesOf, remedyOf } from '../../../src/checks/schedule/remedies.ts';
import type { ScheduleChange } from '../../../src/engine/schedule.ts';
import { noRam } from '../../report/schedule/samples.ts';
import { enable, lessMemory, otherImage, question, relaxation, relaxing } from './requests.ts';

const asked = question(noRam);
const stepsOf = (change: ScheduleChange) => remedyOf(relaxation(change), asked).steps;

describe('the remedies of a request without a host', () => {
  it('are its relaxations, each with the hosts that it would give', () => {
    expect(remediesOf(relaxing(noRam, [lessMemory], [enable]), lacksResources)).toEqual([
      expect.objectContaining({ title: 'otherwise', fits: ['cmp1'] }),
      expect.objectContaining({ title: 'otherwise', fits: ['cmp1'] }),
    ]);
  });

  it('begin with those that take away the reason itself', () => {
    const [first] = remediesOf(relaxing(asked, [lessMemory], [enable]), noLiveCompute);
    expect(first?.steps[0]?.argv).toEqual([
      'openstack',
      'compute',
      'service',
      'set',
      '--enable',
      'cmp1',
      'nova-compute',
    ]);
  });

  it('are six at the most', () => {
    const many = Array.from({ length: 9 }, () => [lessMemory]);
    expect(remediesOf(relaxing(noRam, ...many), lacksResources)).toHaveLength(6);
  });
});

describe('a remedy', () => {
  it('suffices when it is one change of the cloud, and no instance is there that would have to be created anew', () => {
    expect(remedyOf(relaxation(enable), asked).sufficient).toBe(true);
    expect(remedyOf(relaxation(enable, { ...enable, host: 'cmp2' }), asked).sufficient).toBe(false);
    expect(remedyOf(relaxation(lessMemory), asked).sufficient).toBe(false);
    expect(remedyOf(relaxation(enable), noRam).sufficient).toBe(false);
  });

  it('ends with creating the instance again, for one in ERROR stays there', () => {
    expect(remedyOf(relaxation(enable), noRam).steps.at(-1)?.note).toBe('then delete the instance and create it again');
    expect(remedyOf(relaxation(lessMemory), noRam).steps.at(-1)?.note).toBe(
      'delete the instance and create it again so',
    );
  });

  it('says that Placement was asked, where it was', () => {
    expect(remedyOf({ ...relaxation(lessMemory), proof: 'placement' }, asked).steps.at(-1)?.note).toBe(
      'ask so; Placement was asked so, and gives candidates',
    );
  });

  it('risks nothing where nothing is typed', () => {
    expect(remedyOf(relaxation(lessMemory), asked).risk).toBe('none');
    expect(remedyOf(relaxation(otherImage), asked).risk).toBe('reversible');
  });

  it('is typed where it has to be: on the host, on a controller, or wherever the operator is', () => {
    expect(stepsOf({ kind: 'service-up', on: 'cloud', host: 'cmp1' })).toEqual([
      expect.objectContaining({ where: { kind: 'host', host: 'cmp1' }, restarts: 'nova-compute' }),
      expect.objectContaining({ where: { kind: 'operator' }, note: 'only where it was forced down' }),
    ]);
    expect(stepsOf({ kind: 'agent', on: 'cloud', host: 'net1', binary: 'neutron-dhcp-agent' })).toEqual([
      expect.objectContaining({ where: { kind: 'host', host: 'net1' }, restarts: 'neutron-dhcp-agent' }),
    ]);
    expect(stepsOf({ kind: 'discover', on: 'cloud', host: 'cmp1' })).toEqual([
      expect.objectContaining({ where: { kind: 'operator' }, note: 'on a controller' }),
    ]);
  });

  it('is said in words where no single command does it', () => {
    expect(stepsOf({ kind: 'mapping', on: 'cloud', host: 'cmp1', physicalNetwork: 'physnet9' })).toEqual([
      { where: { kind: 'operator' }, note: 'physical network physnet9 mapped on cmp1' },
    ]);
  });

  it('says each change of several, though its title says them together', () => {
    const notes = remedyOf(relaxation(lessMemory, enable), asked).steps.map((step) => step.note);
    expect(notes[0]).toBe('memory ≤ 2 MB');
  });
});
