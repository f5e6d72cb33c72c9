import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fromJSONSchema } from 'zod';
import type { Reach } from '../../src/path/reach/reach.ts';
import { expectComplaint, type Ran, withDesk, withSite } from './doctor.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const demo = (name: string): string => join(root, 'demo', `${name}.tgz`);
const fixture = (name: string): string => join(root, 'test/fixtures/bundles', `${name}.tgz`);

/** Targets of the recorded runs that are named by id. */
const targets = {
  dualStack: '2671fcf3-2a5a-43fb-bb2f-cc1bd6806b19',
  flat: '0b2e508f-a28d-4f39-951d-de67e673a824',
  noDhcp: '61bfeb32-bb18-490f-b9bd-caa3b349ac48',
  twoPorts: '1c015093-7746-43ed-bb40-403635602401',
};

interface Document {
  readonly answers: readonly Pick<Reach, 'verdict' | 'sentence' | 'steps'>[];
  readonly exitCode: number;
}

const published = fromJSONSchema(JSON.parse(readFileSync(join(root, 'docs/reach.schema.json'), 'utf8')));

/** What was printed, once it is what the published schema says. */
function documentOf(ran: Ran): Document {
  const document = JSON.parse(ran.stdout);
  expect(published.safeParse(document).error).toBeUndefined();
  return document;
}

describe.concurrent('reach, asked of recorded runs', () => {
  it.each([
    ['the router reaches the instance', demo('healthy'), ['router', 'web-1'], 0],
    ['and the instance the router', demo('healthy'), ['web-1', 'router'], 0],
    ['the DHCP server its client', demo('healthy'), ['dhcp', 'web-1'], 0],
    ['a lease is asked for', demo('healthy'), ['web-1', 'dhcp'], 0],
    ['metadata is fetched', demo('healthy'), ['web-1', 'metadata'], 0],
    ['the world is reached', demo('healthy'), ['web-1', 'outside', '--probe', 'tcp/443'], 0],
    ['and reaches in by the floating address', demo('healthy'), ['outside', 'web-1', '--probe', 'tcp/22'], 0],
    ['but not where no rule is', demo('healthy'), ['outside', 'web-1', '--probe', 'udp/53'], 1],
    ['two kinds of traffic are two answers', demo('healthy'), ['8.8.8.8', 'web-1', '--probe', 'icmp', 'tcp/23'], 1],
    ['a neighbour the bundle does not hold is not known', demo('healthy'), ['web-1', '10.0.0.250'], 3],
    ['the peer of a run with --to is known', fixture('ovs-peer'), ['db-1', 'web-1', '--probe', 'tcp/22'], 0],
    ['over IPv6', fixture('dual-stack'), ['router', targets.dualStack, '--family', '6', '--probe', 'tcp/22'], 0],
    ['a private address is not begun with', fixture('dual-stack'), ['outside', targets.dualStack], 1],
    ['without a router, outside is far', fixture('no-dhcp'), [targets.noDhcp, 'outside'], 1],
    ['nor is there metadata', fixture('no-dhcp'), [targets.noDhcp, 'metadata'], 1],
    ['on the external network all are neighbours', fixture('flat-external'), ['198.19.0.7', targets.flat], 0],
    ['of two ports that which has a router is asked from', fixture('two-ports'), ['router', targets.twoPorts], 0],
  ] as const)('%s', (_, bundle, words, code) =>
    withDesk({}, async (desk) => {
      const ran = await desk.run(['reach', ...words, '--bundle', bundle, '--output', 'json']);
      expect(ran).toMatchObject({ code, stderr: '' });
      const { answers, exitCode } = documentOf(ran);
      expect(exitCode).toBe(code);
      for (const { verdict, steps } of answers) {
        expect(steps.length).toBeGreaterThan(0);
        if (verdict === 'reachable') expect(steps.map((s) => s.verdict)).not.toContain('unknown');
        for (const s of steps.filter((x) => x.verdict === 'unknown')) expect(s.tell).toBeTruthy();
      }
    }),
  );

  it('the path fits a narrow terminal, the sentence stands last', () =>
    withDesk({ COLUMNS: '80' }, async (desk) => {
      const args = ['reach', '8.8.8.8', 'web-1', '--probe', 'udp/53', '--bundle', demo('healthy'), '--ascii'];
      const { stdout, code } = await desk.run(args);
      expect(code).toBe(1);
      expect(stdout).toMatchInlineSnapshot(`
        "8.8.8.8 -> web-1 10.0.0.103   udp/53

          ok  network 547062e8    198.19.0.109 is held by the router of the floating IP
          ->  router r1           floating IP 198.19.0.109 leads to 10.0.0.103
          ok  router r1           10.0.0.103 is in 10.0.0.0/24, at hand on network
                                  private
          ok  network private     web-1 has 10.0.0.103 here
          xx  web-1 (10.0.0.103)  no rule of web lets udp/53 from 8.8.8.8 in

        NOT REACHABLE   udp/53 from 8.8.8.8 does not reach web-1: at web-1 (10.0.0.103),
                        no rule of web lets udp/53 from 8.8.8.8 in.
                        decided by: security group web, 05d8783a
        "
      `);
    }));

  it('who is let in is told with group, rule and the names of members', () =>
    withDesk({}, async (desk) => {
      const args = ['reach', '--who-can', targets.noDhcp, 'tcp/22', '--bundle', fixture('no-dhcp'), '-v'];
      const { stdout, code } = await desk.run(args);
      expect(code).toBe(0);
      expect(stdout).toContain('only these');
      const told = stdout.replace(/\s+/g, ' ');
      expect(told).toContain(
        '192.168.77.11/32 static-1 | group default (c139abd5-a10a-4927-9120-026d8b46b1cb), rule ecc9296c-',
      );
      const none = await desk.run(['reach', '--who-can', 'web-1', 'udp/53', '--bundle', demo('healthy')]);
      expect(none.stdout).toContain('nobody: no rule of web lets udp/53 from 0.0.0.0/0 in');
      const all = await desk.run(['reach', '--who-can', 'web-1', 'tcp/22', '--bundle', demo('healthy'), '-o', 'json']);
      expect(published.safeParse(JSON.parse(all.stdout)).error).toBeUndefined();
      expect(JSON.parse(all.stdout).answers[0].families).toMatchObject([
        {
          family: 4,
          extent: 'everybody',
          sources: [{ cidr: '0.0.0.0/0', by: [{ group: { name: 'web' } }] }],
          notKnown: [],
        },
      ]);
    }));

  it.each([
    ['no ends', [], /From where to where/],
    ['one end', ['web-1'], /From where to where/],
    ['two places', ['router', 'outside'], /none is named/],
    ['metadata as the sender', ['metadata', 'web-1'], /only answers/],
    ['the same end twice', ['web-1', 'web-1'], /same port/],
    ['a kind of traffic that is none', ['router', 'web-1', '--probe', 'sctp/1'], /icmp, tcp\/PORT or udp\/PORT/],
    ['a size that is none', ['router', 'web-1', '--size', 'big'], /a number from/],
    ['a family the instance does not have', ['router', 'web-1', '--family', '6'], /IPv6/],
  ] as const)('%s: refused in at most four lines', (_, words, said) =>
    withDesk({}, async (desk) => {
      expectComplaint(await desk.run(['reach', ...words, '--bundle', demo('healthy')]), said);
    }),
  );
});

describe('reach, asked of a cloud', () => {
  it('answers for every kind of traffic that was named', () =>
    withSite({}, async (site) => {
      const ran = await site.run(['reach', 'router', 'web-1', '--probe', 'icmp', 'tcp/22', '--output', 'json']);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(documentOf(ran).answers.map((a) => a.verdict)).toEqual(['reachable', 'reachable']);
    }));
});
