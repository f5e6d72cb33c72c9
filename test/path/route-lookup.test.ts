import { describe, expect, it } from 'vitest';
import { parseRoutes } from '../../src/nodes/parse/routes.ts';
import { parseRules } from '../../src/nodes/parse/rules.ts';
import { isBorn, leadsTo, lookUp } from '../../src/path/route-lookup.ts';

const parsed = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
/** `ip route show table all` and `ip rule` of a router, with what a hand added. */
const table = (...more: string[]) =>
  parsed(
    parseRoutes(
      [
        'default via 198.19.0.1 dev qg-1 proto static',
        '10.0.0.0/24 dev qr-1 proto kernel scope link src 10.0.0.1',
        '198.19.0.0/24 dev qg-1 proto kernel scope link src 198.19.0.142',
        'local 10.0.0.1 dev qr-1 table local proto kernel scope host src 10.0.0.1',
        ...more,
      ].join('\n'),
    ),
  );
const rules = (...more: string[]) =>
  parsed(
    parseRules(
      ['0:\tfrom all lookup local', ...more, '32766:\tfrom all lookup main', '32767:\tfrom all lookup default'].join(
        '\n',
      ),
    ),
  );
const toGuest = { destination: '10.0.0.103', iif: 'qg-1' };

describe('a packet in the namespace of a router', () => {
  it('goes by the longest prefix where nobody meddled', () => {
    expect(leadsTo(lookUp(rules(), table(), toGuest), 'qr-1')).toBe(true);
    const away = lookUp(undefined, table(), { source: '10.0.0.103', destination: '203.0.113.1', iif: 'qr-1' });
    expect(leadsTo(away, 'qg-1', '198.19.0.1')).toBe(true);
  });

  it('is refused by a blackhole for its address, and not by one for a neighbour', () => {
    expect(lookUp(rules(), table('blackhole 10.0.0.103'), toGuest).kind).toBe('refused');
    expect(leadsTo(lookUp(rules(), table('blackhole 10.0.0.104'), toGuest), 'qr-1')).toBe(true);
  });

  it('is misled by a next hop on its own network', () => {
    expect(leadsTo(lookUp(rules(), table('10.0.0.103 via 10.0.0.99 dev qr-1'), toGuest), 'qr-1')).toBe(false);
  });

  it('goes by the rule that comes first and fits', () => {
    const other = table('unreachable default table 100');
    const answer = lookUp(rules('100:\tfrom all to 10.0.0.103 lookup 100'), other, toGuest);
    expect(answer).toMatchObject({ kind: 'refused', rule: { priority: 100 } });
    expect(leadsTo(lookUp(rules('100:\tfrom all to 10.0.0.104 lookup 100'), other, toGuest), 'qr-1')).toBe(true);
    expect(leadsTo(lookUp(rules('100:\tfrom all iif qr-1 lookup 100'), other, toGuest), 'qr-1')).toBe(true);
  });

  it('passes a rule whose table has no answer for it', () => {
    const answer = lookUp(rules('100:\tfrom all lookup 100'), table('192.0.2.0/24 dev qg-1 table 100'), toGuest);
    expect(leadsTo(answer, 'qr-1')).toBe(true);
  });

  it('is not judged where a rule depends on a mark', () => {
    const marked = lookUp(rules('100:\tfrom all fwmark 0x1 lookup 100'), table('default dev qg-1 table 100'), toGuest);
    expect(marked.kind).toBe('unknown');
  });

  it('is prohibited by a rule that looks nowhere', () => {
    const answer = lookUp(rules('90:\tfrom 10.0.0.103 iif qr-1 prohibit'), table(), {
      source: '10.0.0.103',
      destination: '198.19.0.1',
      iif: 'qr-1',
    });
    expect(answer).toMatchObject({ kind: 'refused', rule: { priority: 90 } });
  });
});

it('the rules a namespace is born with are told from others', () => {
  expect(rules().every(isBorn)).toBe(true);
  expect(rules('100:\tfrom all lookup main').filter((r) => !isBorn(r))).toHaveLength(1);
});
