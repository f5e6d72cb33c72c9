import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import { renderHuman } from '../../src/report/human.ts';
import type { Verbosity } from '../../src/report/page.ts';
import { blockedHost, handMadeRule, healthy, hostile, localised, samples, twoCauses } from './samples.ts';
import { type Look, screen, withoutColor } from './screen.ts';

const render = (report: RunReport, look?: Look): string => renderHuman(report, screen(look));

const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`golden/${name}.txt`);
const linesOf = (text: string): string[] => text.trimEnd().split('\n');

describe('the report on a screen', () => {
  const names = Object.keys(samples) as (keyof typeof samples)[];
  const widths = [60, 80, 120] as const;

  it.each(names.flatMap((name) => widths.map((width) => [name, width] as const)))(
    'shows %s at %d columns',
    async (name, width) => {
      await golden(render(samples[name], { width }), `${name}-${width}`);
    },
  );

  it('shows everything with -v and -vv', async () => {
    await golden(render(handMadeRule, { verbosity: 1, width: 100 }), 'handMadeRule-v');
    await golden(render(twoCauses, { verbosity: 2, width: 100 }), 'twoCauses-vv');
  });

  it('shows the same words in colour', async () => {
    const colored = render(handMadeRule, { color: 1 });
    await golden(colored, 'handMadeRule-color');
    expect(withoutColor(colored)).toBe(render(handMadeRule));
  });

  it.each(names)('shows %s in ASCII', async (name) => {
    const text = render(samples[name], { unicode: false });
    expect(text).toMatch(/^[\n -~]*$/);
    await golden(text, `${name}-ascii`);
  });
});

describe('a healthy report', () => {
  it('fits a screen of 80 by 24 with the prompt under it', () => {
    expect(linesOf(render(healthy)).length).toBeLessThan(24);
  });

  it('takes one line per step', () => {
    const text = render(healthy);
    for (const step of healthy.steps.filter((s) => s.checks.some((c) => c.outcome.status === 'ok'))) {
      expect(linesOf(text).filter((line) => line.startsWith(`  ✓  ${step.title}`))).toHaveLength(1);
    }
  });

  it('counts what was skipped, and lists it with -v', () => {
    expect(render(healthy)).toContain('3 not applicable');
    expect(render(healthy)).not.toContain('port is not SR-IOV');
    expect(render(healthy, { verbosity: 1 })).toContain('the VF is configured: not applicable: port is not SR-IOV');
  });
});

describe('the verdict', () => {
  it('stands last: nothing of the walk comes after it', () => {
    const lines = linesOf(render(handMadeRule));
    const cause = lines.findIndex((line) => line.startsWith('CAUSE'));
    expect(lines.findLastIndex((line) => /^ {2}[✓✗!?–] /.test(line))).toBeLessThan(cause);
    expect(lines.at(-1)).toMatch(/^Next: ostk-doctor explain OSD-HOST-014 +1 cause · 17 checks · exit 1 · 4\.0 s$/);
  });

  it('names the cause in a sentence, with evidence, mend and proof', () => {
    const text = render(handMadeRule, { width: 120 });
    expect(text).toMatch(/^CAUSE {3}A hand-made rule on cmp1 drops ICMP towards web-1\. +OSD-HOST-014 · certain$/m);
    expect(text).toContain('        cmp1  iptables -t filter -c -S FORWARD\n');
    expect(text).toMatch(
      /^MEND .* on cmp1 · reversible\n {10}iptables -D FORWARD -p icmp .* -j DROP\nVERIFY {2}ostk-doctor ping web-1$/m,
    );
  });

  it('does not call unknown what it only knows the place of anything but unknown', () => {
    const text = render(localised);
    expect(text).toMatch(/^CAUSE {3}unknown\. Packets from net1/m);
    expect(text).toContain('OSD-PATH-002 · localised');
    expect(text).not.toMatch(/^MEND/m);
    expect(text).toMatch(/^LOOK/m);
  });

  it('folds symptoms under their cause', () => {
    expect(render(handMadeRule)).toContain('(and 2');
  });

  it('shows each further cause with its own mend', () => {
    const text = render(twoCauses);
    expect(text).toMatch(/^OTHER CAUSE\n {2}2 {5}Router r1 is switched off/m);
    expect(text).toContain('openstack router set --enable r1');
    expect(text.indexOf('ALSO SEEN')).toBeGreaterThan(text.indexOf('OTHER CAUSE'));
  });

  it('does not say fine when it could not look, and says once what would help', () => {
    const text = render(blockedHost);
    expect(text).toContain('No fault found where we could look; 5 checks could not.');
    expect(text).not.toContain('No fault found on any path');
    expect(text.match(/ssh-keyscan/g)).toHaveLength(1);
    expect(text).toContain('exit 3');
  });
});

describe('ids and times', () => {
  it('are short, and whole with -v', () => {
    expect(render(healthy)).toContain('5652dd5f ACTIVE');
    expect(render(healthy)).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    const whole = render(healthy, { verbosity: 1 });
    expect(whole).toContain('5652dd5f-cd1c-4b0e-9d0c-7f1f7a4c2b11 ACTIVE');
    expect(whole).toContain('2026-11-20T09:00:02.140Z');
    expect(whole).toContain('req-78f0c2d4-1111-4a5b-8c1d-0123456789ab');
  });

  it('stay whole in commands to paste', () => {
    expect(render(handMadeRule, { verbosity: 1 })).toContain(
      'ip netns exec qrouter-653e7a42-cc1c-4b0e-9d0c-7f1f7a4c2b22 ping',
    );
  });
});

describe('the width', () => {
  const isCommand = /^ *(\S+ +)?(iptables|ip|tcpdump|systemctl|tail|ssh-keyscan|→ |-> |virsh|bridge|VERIFY|Next:)/;

  it('is kept by every line that is not a command', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(samples)),
        fc.integer({ min: 60, max: 140 }),
        fc.constantFrom<Verbosity>(0, 1, 2),
        fc.boolean(),
        (report, width, verbosity, unicode) => {
          for (const line of linesOf(render(report, { width, verbosity, unicode }))) {
            if (!isCommand.test(line)) expect(stringWidth(line), line).toBeLessThanOrEqual(Math.min(width, 120));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('counts wide characters as two columns', () => {
    const [header = ''] = linesOf(render(hostile));
    expect(header).toMatch(/^web-1 数据库 {2}ACTIVE/);
    const [labels = '', states = ''] = linesOf(render(hostile)).filter(
      (line) => line.includes('tap5652dd5f') || /^ +✓ cmp1/.test(line),
    );
    expect(stringWidth(labels.slice(0, labels.indexOf('tap')))).toBe(stringWidth(states.slice(0, states.indexOf('✗'))));
  });

  it('never breaks a command to paste', () => {
    const command = 'iptables -D FORWARD -p icmp -m physdev --physdev-is-bridged --physdev-out tap5652dd5f-cd -j DROP';
    expect(linesOf(render(handMadeRule, { width: 60 }))).toContain(`          ${command}`);
  });
});

describe('text from the cloud', () => {
  it('cannot reach the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom<Verbosity>(0, 2), (evil, verbosity) => {
        const text = render(JSON.parse(JSON.stringify(hostile).replaceAll('web', JSON.stringify(evil).slice(1, -1))), {
          verbosity,
        });
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  it('is shown in a command so that what is seen is what runs', () => {
    expect(render(hostile)).toContain(
      String.raw`virsh dominfo $'web\x1b[2J\x1b[31m-1\xe2\x80\xae\x07\xe2\x80\x8b 数据库'`,
    );
  });
});
