import { describe, expect, test } from 'vitest';
import { foldLines, type LogRecord, parseOsloLog } from '../../../src/nodes/parse/oslo-log.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const records = (name: string): readonly LogRecord[] => understood(parseOsloLog(fixture('oslo-log', `${name}.txt`)));
const head = '2026-11-21 00:27:40.297 41 ERROR neutron.agent.dhcp.agent';

describe('logs of OpenStack services', () => {
  test('time, process, level, logger, request and message', () => {
    const started = records('lb-net1-neutron-dhcp-agent-timeout').find(
      ({ message }) => message === 'DHCP agent started',
    );
    expect(started).toEqual({
      at: '2026-11-21T00:27:40.324',
      pid: 41,
      level: 'INFO',
      logger: 'neutron.agent.dhcp.agent',
      requestId: 'req-2019b83c-b7f7-4e7b-963d-9e20d5c5780c',
      message: 'DHCP agent started',
      more: [],
    });
  });

  test('an exception of Nova is one record: its instance, its message, its traceback', () => {
    const failed = records('lb-cmp1-nova-compute-errors').filter(({ level }) => level === 'ERROR');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({
      instanceId: '512a8d2c-ae19-494f-82ad-6b333df8f466',
      message: expect.stringMatching(/^Failed to build and run instance: nova\.exception\.PortBindingFailed/),
    });
    expect(failed[0]?.more[0]).toBe('Traceback (most recent call last):');
    expect(failed[0]?.more.at(-1)).toContain('nova.exception.PortBindingFailed: Binding failed for port');
  });

  test('a tail that begins inside a traceback has a record without message, told by its exception', () => {
    const [first] = records('lb-net1-neutron-metadata-agent-traceback').filter(({ level }) => level === 'ERROR');
    expect(first?.message).toBe('');
    const [, fold] = foldLines(records('lb-net1-neutron-metadata-agent-traceback'), { warnings: true });
    expect(fold?.shape).toBe(
      'oslo_messaging.exceptions.MessagingTimeout: Timed out waiting for a reply to message ID <hex>',
    );
  });

  test('two errors of one millisecond stay two: each has its own context', () => {
    const text = `${head} [-] first\n${head} Traceback (most recent call last):\n${head} ValueError: x\n${head} [-] second\n`;
    expect(understood(parseOsloLog(text)).map(({ message, more }) => [message, more.length])).toEqual([
      ['first', 2],
      ['second', 0],
    ]);
  });

  test('lines without a head belong to the record before them', () => {
    const text =
      '    rest of an older record\n2026-11-21 00:26:16.961 242 WARNING oslo_config.cfg [-] Deprecated: (\nThe option\n).\n';
    expect(understood(parseOsloLog(text))).toMatchObject([{ level: 'WARNING', more: ['The option', ').'] }]);
  });

  test('the same line from the journal, from a container reader, and in colour', () => {
    const said = { level: 'ERROR', logger: 'neutron.agent.dhcp.agent', message: 'Unable to sync', pid: 41 };
    const line = `${head} [-] Unable to sync`;
    for (const text of [
      `Nov 21 00:27:40 net1 neutron-dhcp-agent[41]: ${line}`,
      `2026-11-21T00:27:40+0000 net1 neutron-dhcp-agent[41]: ${line}`,
      `neutron_dhcp_agent | ${line}`,
      `\u001b[01;31m${line}\u001b[00m`,
    ]) {
      expect(understood(parseOsloLog(text)), text).toMatchObject([{ ...said, at: '2026-11-21T00:27:40.297' }]);
    }
    const short =
      'Nov 21 00:27:40 net1 neutron-dhcp-agent[41]: ERROR neutron.agent.dhcp.agent [None req-9 admin admin] Unable to sync';
    expect(understood(parseOsloLog(short))).toMatchObject([{ ...said, at: '' }]);
    const iso =
      '2026-11-21T00:27:40+0000 net1 neutron-dhcp-agent[41]: ERROR neutron.agent.dhcp.agent [-] Unable to sync';
    expect(understood(parseOsloLog(iso))).toMatchObject([{ ...said, at: '2026-11-21T00:27:40' }]);
  });

  test('a log line that is quoted inside a message is no record of its own', () => {
    const text = `2026-11-21 00:27:41.000 41 INFO neutron.agent [-] saw: ${head} [-] old\n`;
    expect(understood(parseOsloLog(text))).toHaveLength(1);
  });
});

describe('folding', () => {
  const unreachable = (second: number, host: string) =>
    `2026-11-21 00:27:${second}.000 41 ERROR oslo.messaging._drivers.impl_rabbit [req-${'0'.repeat(8)}-0000-0000-0000-${String(second).padStart(12, '0')} - - -] [${'a'.repeat(8)}-1111-2222-3333-${String(second).padStart(12, '0')}] AMQP server on ${host}:5672 is unreachable: timed out. Trying again in ${second} seconds.`;

  test('what differs only in numbers, ids and addresses is one shape with its count and its ends', () => {
    const text = [10, 20, 30].map((second) => unreachable(second, '10.0.0.5')).join('\n');
    expect(foldLines(understood(parseOsloLog(text)))).toMatchObject([
      {
        shape: '[<uuid>] AMQP server on <ip>:<n> is unreachable: timed out. Trying again in <n> seconds.',
        count: 3,
        first: '2026-11-21T00:27:10.000',
        last: '2026-11-21T00:27:30.000',
        level: 'ERROR',
        sample: { message: expect.stringContaining('Trying again in 30 seconds') },
      },
    ]);
  });

  test('names of hosts keep their digits, names of devices and domains do not', () => {
    const shape = (message: string) => foldLines(understood(parseOsloLog(`${head} [-] ${message}`)))[0]?.shape;
    expect(shape('AMQP server on ctl1:5672 is unreachable')).toBe('AMQP server on ctl1:<n> is unreachable');
    expect(shape('Device tap5652dd5f-cd not defined')).toBe('Device tap<id> not defined');
    expect(shape('Domain instance-0000000a is gone')).toBe('Domain instance-<n> is gone');
    expect(shape('from fe80::f816:3eff:fe04:d9ca and fa:16:3e:04:d9:ca')).toBe('from <ip> and <mac>');
  });

  test('only errors, and warnings when they are wanted; a traceback counts at any level', () => {
    const text = [
      '2026-11-21 00:00:01.000 1 INFO a [-] fine',
      '2026-11-21 00:00:02.000 1 WARNING a [-] careful',
      '2026-11-21 00:00:03.000 1 WARNING a [-] odd',
      'Traceback (most recent call last):',
      'ValueError: x',
      '2026-11-21 00:00:04.000 1 CRITICAL a [-] gone',
    ].join('\n');
    const parsed = understood(parseOsloLog(text));
    expect(foldLines(parsed).map(({ shape }) => shape)).toEqual(['gone', 'odd']);
    expect(foldLines(parsed, { warnings: true }).map(({ shape }) => shape)).toEqual(['gone', 'odd', 'careful']);
  });

  test('the most frequent first', () => {
    const text = [unreachable(10, 'ctl'), `${head} [-] once`, unreachable(40, 'ctl')].join('\n');
    expect(foldLines(understood(parseOsloLog(text))).map(({ count }) => count)).toEqual([2, 1]);
  });

  test('no input makes it throw', () => {
    const samples = fixtures('oslo-log').map(({ text }) => text);
    expectNeverThrows(
      (text) => {
        const parsed = parseOsloLog(text);
        if (parsed.ok) foldLines(parsed.value, { warnings: true });
        return parsed;
      },
      samples.slice(0, 3),
    );
  });
});
