import { describe, expect, it } from 'vitest';
import { allFindingSpecs } from '../../../src/checks/registry.ts';

describe('the codes of a schedule', () => {
  it('are seventeen, each told of the instance in ERROR as well', () => {
    const specs = allFindingSpecs.filter((s) => s.code.startsWith('OSD-SCHED-'));
    expect(specs).toHaveLength(17);
    for (const s of specs) expect(s.explains.map((e) => e.code)).toEqual(['OSD-VM-002', 'OSD-VM-005']);
  });
});
