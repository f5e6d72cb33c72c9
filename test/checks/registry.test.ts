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
    for (const { title } of allChecks) expect(title).toMatch(/^(?:[A-Z]|dnsmasq |libvirt |nova-\w+ ).{10,}[^.?!]$/);
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

describe('the edges between codes', () => {
  const explains = (code: string) => (s: (typeof allFindingSpecs)[number]) =>
    s.explains.some((e) => matching(e.code).includes(code));

  it('explain every symptom that is an error by at least one cause', () => {
    for (const symptom of allFindingSpecs.filter((s) => s.nature === 'symptom' && s.severity === 'error')) {
      const causes = allFindingSpecs.filter((s) => s.nature === 'cause').filter(explains(symptom.code));
      expect(causes.length, symptom.code).toBeGreaterThan(0);
    }
  });

  it('never lead from a symptom to a cause', () => {
    const causes = new Set(allFindingSpecs.filter((s) => s.nature === 'cause').map((s) => s.code));
    for (const s of allFindingSpecs.filter((spec) => spec.nature === 'symptom')) {
      const led = s.explains.flatMap((e) => matching(e.code)).filter((code) => causes.has(code));
      expect(led, s.code).toEqual([]);
    }
  });

  it('let whatever silences an instance also explain where it was localised', () => {
    for (const s of allFindingSpecs) {
      if (!['OSD-PING-001', 'OSD-PING-002'].some((ping) => explains(ping)(s))) continue;
      if (s.code.startsWith('OSD-PATH-') || s.code.startsWith('OSD-PING-')) continue;
      // A guest without a lease may be silent on a path that is sick for another reason.
      if (s.code === 'OSD-CONSOLE-001') continue;
      for (const place of ['OSD-PATH-001', 'OSD-PATH-002', 'OSD-PATH-003', 'OSD-PATH-004', 'OSD-PATH-005'])
        expect(explains(place)(s), `${s.code} explains ${place}`).toBe(true);
    }
  });

  it('let what only slows or narrows the path explain no silence', () => {
    for (const code of ['OSD-MTU-002', 'OSD-TUNNEL-003']) {
      const spec = allFindingSpecs.find((s) => s.code === code);
      for (const silence of ['OSD-PING-001', 'OSD-PATH-002']) {
        expect(spec === undefined ? true : explains(silence)(spec), `${code} ${silence}`).toBe(false);
      }
    }
  });
});
