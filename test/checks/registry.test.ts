import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allChecks, allFindingSpecs } from '../../src/checks/registry.ts';
import { parsePlaybook } from '../../src/engine/playbook.ts';
import { conditions } from '../../src/run/conditions.ts';

const root = new URL('../../', import.meta.url);
const matching = (pattern: string): string[] =>
  allFindingSpecs
    .map((s) => s.code)
    .filter((code) => (pattern.endsWith('*') ? code.startsWith(pattern.slice(0, -1)) : code === pattern));

describe('the registry of checks', () => {
  it('has every id once, and the file of each lies where its id says', () => {
    const ids = allChecks.map((c) => c.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(existsSync(new URL(`src/checks/${id.replace('.', '/')}.ts`, root)), id).toBe(true);
  });

  it('titles each check with a statement', () => {
    for (const { title } of allChecks) expect(title).toMatch(/^(?:[A-Z]|dnsmasq |libvirt |nova-compute ).{10,}[^.?!]$/);
  });

  it('has each check in a playbook, and each playbook names only checks and conditions that exist', () => {
    const vocabulary = { checks: new Set(allChecks.map((c) => c.id)), conditions: new Set(conditions.keys()) };
    const used = readdirSync(new URL('playbooks/', root)).flatMap((file) => {
      const parsed = parsePlaybook(readFileSync(new URL(`playbooks/${file}`, root), 'utf8'), file, vocabulary);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      return parsed.value.steps.flatMap((s) => s.checks);
    });
    expect([...vocabulary.checks].filter((id) => !used.includes(id))).toEqual([]);
  });
});

describe('the codes', () => {
  it('have the form OSD-AREA-NNN, once each', () => {
    const codes = allChecks.flatMap((c) => c.findings.map((f) => f.code));
    for (const code of codes) expect(code).toMatch(/^OSD-[A-Z0-9]+-\d{3}$/);
    for (const s of allFindingSpecs) expect(allFindingSpecs.filter((o) => o.code === s.code)).toHaveLength(1);
  });

  it('say what they mean, how they are told and how they are mended, and have a page', () => {
    for (const s of allFindingSpecs) {
      for (const text of [s.title, s.meaning, s.evidence, s.mend]) expect(text.length, s.code).toBeGreaterThan(10);
      expect(existsSync(new URL(`docs/codes/${s.code}.md`, root)), s.code).toBe(true);
    }
  });

  it('explain only codes that exist', () => {
    for (const s of allFindingSpecs) {
      for (const edge of s.explains) {
        expect(matching(edge.code).length, `${s.code} explains ${edge.code}`).toBeGreaterThan(0);
      }
    }
  });

  it('explain each other without a cycle', () => {
    const next = new Map(
      allFindingSpecs.map((s) => [s.code, s.explains.flatMap((e) => matching(e.code)).filter((c) => c !== s.code)]),
    );
    const reach = (from: string, seen: Set<string>): Set<string> => {
      for (const to of next.get(from) ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        reach(to, seen);
      }
      return seen;
    };
    for (const code of next.keys()) expect(reach(code, new Set()).has(code), `${code} explains itself`).toBe(false);
  });
});
