import { describe, expect, test } from 'vitest';
import { parseArping } from '../../../src/nodes/parse/arping.ts';
import { parseCurl } from '../../../src/nodes/parse/curl.ts';
import { parsePing } from '../../../src/nodes/parse/ping.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const ping = (name: string) => understood(parsePing(fixture('ping', `${name}.txt`)));
const kinds = (name: string) => ping(name).errors.map(({ kind }) => kind);

describe('ping', () => {
  test('answers with their times, with and without -q, from iputils and BusyBox', () => {
    expect(ping('lb-net1-reply')).toEqual({
      sent: 3,
      received: 3,
      duplicates: 0,
      rttMs: { min: 1.091, avg: 1.147, max: 1.214 },
      errors: [],
    });
    expect(ping('lb-net1-quiet')).toMatchObject({ sent: 2, received: 2, rttMs: { min: 0.775 } });
    expect(ping('busybox-1.35-reply')).toMatchObject({ sent: 2, received: 2, rttMs: { min: 0.06, max: 0.3 } });
    expect(ping('busybox-1.35-quiet')).toMatchObject({ sent: 1, received: 1 });
  });

  test('silence is no error and has no times', () => {
    expect(ping('lb-net1-no-answer')).toEqual({ sent: 1, received: 0, duplicates: 0, errors: [] });
    expect(ping('busybox-1.35-no-answer')).toEqual({ sent: 2, received: 0, duplicates: 0, errors: [] });
  });

  test('a host that does not resolve is told by the last router, or by ourselves', () => {
    const [first, ...others] = ping('iputils-20221126-host-unreachable').errors;
    expect(first).toEqual({
      from: '10.1.0.1',
      kind: 'host-unreachable',
      text: 'From 10.1.0.1 icmp_seq=1 Destination Host Unreachable',
    });
    expect(others).toHaveLength(2);
    expect(ping('iputils-20221126-host-unreachable-remote').errors[0]?.from).toBe('10.1.0.254');
    expect(kinds('iputils-20221126-v6-address-unreachable')).toEqual(['host-unreachable']);
  });

  test('a smaller MTU on the way is told by the router once, and then by our own kernel', () => {
    expect(ping('iputils-20221126-frag-needed').errors).toEqual([
      {
        from: '10.1.0.254',
        kind: 'frag-needed',
        mtu: 1400,
        text: 'From 10.1.0.254 icmp_seq=1 Frag needed and DF set (mtu = 1400)',
      },
      { kind: 'too-long', mtu: 1400, text: 'ping: local error: message too long, mtu=1400' },
    ]);
  });

  test('what our own kernel refuses stands on stderr', () => {
    const stderr = 'ping: local error: message too long, mtu=1450\nping: local error: message too long, mtu=1450\n';
    const refused = understood(parsePing(fixture('ping', 'lb-net1-too-long.txt'), stderr));
    expect(refused).toMatchObject({ sent: 2, received: 0 });
    expect(refused.errors).toHaveLength(2);
    expect(refused.errors[0]).toMatchObject({ kind: 'too-long', mtu: 1450 });
    expect(understood(parsePing('', 'ping: sendmsg: Operation not permitted\n')).errors[0]?.kind).toBe('prohibited');
  });

  test('refusals of a router', () => {
    expect(kinds('iputils-20221126-prohibited')).toEqual(['prohibited']);
    expect(kinds('iputils-20221126-v6-prohibited')).toEqual(['prohibited']);
    expect(kinds('iputils-20221126-v6-unreachable')).toEqual(['net-unreachable']);
    expect(kinds('iputils-20221126-ttl')).toEqual(['ttl']);
    expect(
      understood(parsePing('From 10.0.0.1 icmp_seq=1 Destination Net Unreachable\n1 packets transmitted, 0 received\n'))
        .errors[0]?.kind,
    ).toBe('net-unreachable');
  });

  test('without a route, nothing is sent', () => {
    expect(ping('iputils-20221126-connect-unreachable')).toMatchObject({ sent: 0, received: 0 });
    expect(kinds('iputils-20221126-connect-unreachable')).toEqual(['net-unreachable']);
    expect(kinds('busybox-1.35-net-unreachable')).toEqual(['net-unreachable']);
    expect(kinds('iputils-20221126-unknown-host')).toEqual(['other']);
  });

  test('duplicates are counted apart', () => {
    const text =
      '64 bytes from 10.0.0.6: icmp_seq=1 ttl=64 time=0.7 ms (DUP!)\n\n3 packets transmitted, 3 received, +2 duplicates, 0% packet loss, time 2ms\n';
    expect(understood(parsePing(text))).toMatchObject({ sent: 3, received: 3, duplicates: 2 });
    const busybox = '2 packets transmitted, 2 packets received, 1 duplicates, 0% packet loss\n';
    expect(understood(parsePing(busybox))).toMatchObject({ received: 2, duplicates: 1 });
  });

  test('a ping that was stopped before it summed up is a parse failure', () => {
    const whole = fixture('ping', 'lb-net1-reply.txt');
    expect(parsePing(whole.slice(0, whole.indexOf('---'))).ok).toBe(false);
    expect(parsePing('').ok).toBe(false);
  });

  test('no input makes it throw', () =>
    expectNeverThrows(
      (text) => parsePing(text),
      fixtures('ping').map(({ text }) => text),
    ));
});

describe('arping', () => {
  test('who answered, from both programs of this name', () => {
    expect(understood(parseArping(fixture('arping', 'lb-net1-reply.txt')))).toEqual({
      sent: 2,
      received: 2,
      macs: ['fa:16:3e:79:62:2d'],
    });
    expect(understood(parseArping(fixture('arping', 'habets-2.23-reply.txt')))).toEqual({
      sent: 2,
      received: 2,
      macs: ['f6:b0:94:1f:7f:8c'],
    });
  });

  test('nobody answered', () => {
    for (const name of ['lb-net1-no-answer.txt', 'habets-2.23-no-answer.txt']) {
      expect(understood(parseArping(fixture('arping', name)))).toEqual({ sent: 2, received: 0, macs: [] });
    }
  });

  test('two stations that claim one address are both named', () => {
    const text =
      'ARPING 10.0.0.6 from 10.0.0.2 eth0\nUnicast reply from 10.0.0.6 [FA:16:3E:00:00:01]  1ms\nUnicast reply from 10.0.0.6 [FA:16:3E:00:00:02]  1ms\nSent 1 probes (1 broadcast(s))\nReceived 2 response(s)\n';
    expect(understood(parseArping(text)).macs).toEqual(['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02']);
  });

  test('no input makes it throw', () =>
    expectNeverThrows(
      parseArping,
      fixtures('arping').map(({ text }) => text),
    ));
});

describe('curl -w', () => {
  test('an answer, a refusal, and a curl that knows no errormsg', () => {
    expect(understood(parseCurl(fixture('curl', 'lb-ctl-answered.txt')))).toEqual({ status: 200, seconds: 0.005628 });
    expect(understood(parseCurl(fixture('curl', 'lb-ctl-refused.txt')))).toMatchObject({
      status: 0,
      error: expect.stringContaining("Couldn't connect to server"),
    });
    expect(understood(parseCurl('503 0.001 %{errormsg}'))).toEqual({ status: 503, seconds: 0.001 });
    expect(parseCurl('').ok).toBe(false);
  });

  test('no input makes it throw', () =>
    expectNeverThrows(
      parseCurl,
      fixtures('curl').map(({ text }) => text),
    ));
});
