import { describe, expect, test } from 'vitest';
import { type ConsoleLog, parseConsoleLog } from '../../../src/nodes/parse/console-log.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const read = (...lines: readonly string[]): ConsoleLog => understood(parseConsoleLog(lines.join('\r\n')));
const recorded = (name: string): ConsoleLog => understood(parseConsoleLog(fixture('console-log', `${name}.txt`)));

describe('a recorded boot', () => {
  test('lease, addresses, routes, metadata and the end of cloud-init', () => {
    expect(recorded('lb-earlier-web-1')).toEqual({
      empty: false,
      lease: { address: '10.0.0.6', server: '10.0.0.2', router: '10.0.0.1' },
      noLease: false,
      addresses: [{ dev: 'eth0', up: true, address: '10.0.0.6', prefix: 24 }],
      routes: [
        { destination: 'default', gateway: '10.0.0.1', dev: 'eth0' },
        { destination: '10.0.0.0/24', dev: 'eth0' },
        { destination: '169.254.169.254', gateway: '10.0.0.1', dev: 'eth0' },
      ],
      metadata: { outcome: 'ok' },
      cloudInit: { version: '22.4.2', stage: 'finished', upSeconds: 7.74 },
      loginPrompt: true,
      sshHostKeys: [],
    });
  });

  test('metadata that failed first and came then is metadata that came', () => {
    expect(fixture('console-log', 'ovs-earlier-web-1.txt')).toContain('failed [');
    expect(recorded('ovs-earlier-web-1').metadata).toEqual({ outcome: 'ok', url: 'http://169.254.169.254/openstack' });
  });

  test('all of them boot to a login prompt', () => {
    for (const { name } of fixtures('console-log')) {
      expect(recorded(name.replace('.txt', '')), name).toMatchObject({
        loginPrompt: true,
        noLease: false,
        empty: false,
      });
    }
  });
});

describe('DHCP clients', () => {
  test.each([
    [
      'BusyBox',
      ['udhcpc: lease of 10.0.0.6 obtained from 10.0.0.2, lease time 86400'],
      { address: '10.0.0.6', server: '10.0.0.2' },
    ],
    [
      'old BusyBox',
      ['Sending discover...', 'Lease of 10.128.0.67 obtained, lease time 86313600'],
      { address: '10.128.0.67' },
    ],
    [
      'dhclient',
      [
        'DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 8',
        'DHCPACK of 10.0.0.6 from 10.0.0.2',
        'bound to 10.0.0.6 -- renewal in 40000 seconds.',
      ],
      { address: '10.0.0.6', server: '10.0.0.2' },
    ],
    [
      'systemd-networkd',
      ['[   12.1] systemd-networkd[641]: ens3: DHCPv4 address 10.0.0.17/24 via 10.0.0.1'],
      { dev: 'ens3', address: '10.0.0.17', prefix: 24, router: '10.0.0.1' },
    ],
    [
      'new systemd-networkd',
      ['ens3: DHCPv4 address 10.0.0.17/24, gateway 10.0.0.1 acquired from 10.0.0.2'],
      { dev: 'ens3', address: '10.0.0.17', prefix: 24, router: '10.0.0.1', server: '10.0.0.2' },
    ],
    [
      'dhcpcd',
      ['eth0: offered 10.0.0.6 from 10.0.0.2', 'eth0: leased 10.0.0.6 for 86400 seconds'],
      { dev: 'eth0', address: '10.0.0.6' },
    ],
    [
      'NetworkManager',
      ['dhcp4 (ens3): state changed new lease, address=192.168.5.160'],
      { dev: 'ens3', address: '192.168.5.160' },
    ],
    [
      'cloud-init',
      ['Received dhcp lease on ens3 for 10.0.0.6/255.255.255.0'],
      { dev: 'ens3', address: '10.0.0.6', prefix: 24 },
    ],
  ])('%s', (_client, lines, lease) => {
    expect(read(...lines)).toMatchObject({ lease, noLease: false });
  });

  test.each([
    'udhcpc: no lease, failing',
    'No lease, failing',
    'No DHCPOFFERS received.',
    'dhcp4 (ens3): request timed out',
  ])('none came: %s', (line) => {
    const log = read('udhcpc: sending discover', line);
    expect(log.noLease).toBe(true);
    expect(log.lease).toBeUndefined();
  });

  test('a lease after all, and a lease that was lost', () => {
    const given = 'udhcpc: lease of 10.0.0.6 obtained from 10.0.0.2, lease time 86400';
    expect(read('udhcpc: no lease, failing', given).noLease).toBe(false);
    expect(read(given, 'udhcpc: no lease, failing')).toMatchObject({ noLease: true, lease: { address: '10.0.0.6' } });
  });
});

describe('tables of cloud-init', () => {
  const beforeDhcp = [
    'ci-info: +++++++++++++++++++++++++Net device info++++++++++++++++++++++++++',
    'ci-info: +--------+-------+-----------+-----------+-------------------+',
    'ci-info: | Device |   Up  |  Address  |    Mask   |     Hw-Address    |',
    'ci-info: +--------+-------+-----------+-----------+-------------------+',
    'ci-info: |  lo:   |  True | 127.0.0.1 | 255.0.0.0 |         .         |',
    'ci-info: | eth0:  | False |     .     |     .     | fa:16:3e:3c:75:62 |',
    'ci-info: +--------+-------+-----------+-----------+-------------------+',
    'ci-info: !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!Route info failed!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!',
  ];
  const afterDhcp = [
    '[   28.381544] cloud-init[837]: ci-info: ++++++++++++++++++++++++++++Net device info++++++++++++++++++++++++++++',
    '[   28.396781] cloud-init[837]: ci-info: +--------+------+-----------------------------+---------------+--------+-------------------+',
    '[   28.416501] cloud-init[837]: ci-info: | Device |  Up  |           Address           |      Mask     | Scope  |     Hw-Address    |',
    '[   28.427493] cloud-init[837]: ci-info: +--------+------+-----------------------------+---------------+--------+-------------------+',
    '[   28.446544] cloud-init[837]: ci-info: |  ens3  | True |           10.0.0.4          | 255.255.255.0 | global | fa:16:3e:c6:17:d5 |',
    '[   28.460031] cloud-init[837]: ci-info: |  ens3  | True | fe80::f816:3eff:fec6:17d5/64 |       .       |  link  | fa:16:3e:c6:17:d5 |',
    '[   28.476415] cloud-init[837]: ci-info: |   lo   | True |          127.0.0.1          |   255.0.0.0   |  host  |         .         |',
    '[   28.490000] cloud-init[837]: ci-info: ++++++++++++++++++++++Route IPv4 info++++++++++++++++++++++',
    '[   28.490001] cloud-init[837]: ci-info: | Route |   Destination   | Gateway  |     Genmask     | Interface | Flags |',
    '[   28.490002] cloud-init[837]: ci-info: |   0   |     0.0.0.0     | 10.0.0.1 |     0.0.0.0     |    ens3   |   UG  |',
    '[   28.490003] cloud-init[837]: ci-info: |   1   |     10.0.0.0    | 0.0.0.0  |  255.255.255.0  |    ens3   |   U   |',
    '[   28.490004] cloud-init[837]: ci-info: |   2   | 169.254.169.254 | 10.0.0.2 | 255.255.255.255 |    ens3   |  UGH  |',
    '[   28.490005] cloud-init[837]: ci-info: ++++++++++++++++++++++Route IPv6 info++++++++++++++++++++++',
    '[   28.490006] cloud-init[837]: ci-info: | Route | Destination | Gateway | Interface | Flags |',
    '[   28.490007] cloud-init[837]: ci-info: |   1   |  fe80::/64  |    ::   |    ens3   |   U   |',
  ];

  test('old columns, before DHCP: a NIC without address, and no routes', () => {
    const log = read(...beforeDhcp);
    expect(log.addresses).toEqual([
      { dev: 'lo', up: true, address: '127.0.0.1', prefix: 8 },
      { dev: 'eth0', up: false, mac: 'fa:16:3e:3c:75:62' },
    ]);
    expect(log.routes).toEqual([]);
  });

  test('new columns, with the prefixes of kernel and unit, and both families', () => {
    const log = read(...afterDhcp);
    expect(log.addresses).toEqual([
      { dev: 'ens3', up: true, address: '10.0.0.4', prefix: 24, mac: 'fa:16:3e:c6:17:d5' },
      { dev: 'ens3', up: true, address: 'fe80::f816:3eff:fec6:17d5', prefix: 64, mac: 'fa:16:3e:c6:17:d5' },
      { dev: 'lo', up: true, address: '127.0.0.1', prefix: 8 },
    ]);
    expect(log.routes).toEqual([
      { destination: 'default', gateway: '10.0.0.1', dev: 'ens3' },
      { destination: '10.0.0.0/24', dev: 'ens3' },
      { destination: '169.254.169.254', gateway: '10.0.0.2', dev: 'ens3' },
      { destination: 'fe80::/64', dev: 'ens3' },
    ]);
  });

  test('the last table counts', () => {
    expect(read(...beforeDhcp, ...afterDhcp)).toEqual(read(...afterDhcp));
  });

  test('the table of authorized keys is no table of devices', () => {
    const keys = [
      'ci-info: +++Authorized keys from /home/debian/.ssh/authorized_keys for user debian+++',
      'ci-info: | Keytype | Fingerprint | Options | Comment |',
      'ci-info: | ssh-rsa | 7f:fa | - | x |',
    ];
    expect(read(...afterDhcp, ...keys).addresses).toHaveLength(3);
  });
});

describe('metadata', () => {
  const failing = (reason: string) =>
    `2026-11-21 17:09:33,599 - url_helper.py[WARNING]: Calling 'http://169.254.169.254/2009-04-04/meta-data/instance-id' failed [50/120s]: ${reason}`;

  test.each([
    ["request error [('Connection aborted.', error(101, 'Network is unreachable'))]", 'network-unreachable'],
    ["request error [('Connection aborted.', error(113, 'No route to host'))]", 'no-route'],
    [
      "request error [HTTPConnectionPool(host='169.254.169.254', port=80): Read timed out. (read timeout=50.0)]",
      'timeout',
    ],
    ['request error [... Failed to establish a new connection: [Errno 111] Connection refused]', 'refused'],
    ["wget: can't connect to remote host (169.254.169.254): Connection refused", 'refused'],
    ["unexpected error ['NoneType' object has no attribute 'status_code']", 'other'],
  ])('fails: %s', (reason, kind) => {
    expect(read(failing(reason)).metadata).toMatchObject({
      outcome: 'failed',
      reason: kind,
      url: 'http://169.254.169.254/2009-04-04/meta-data/instance-id',
      gaveUp: false,
    });
  });

  test('an HTTP status is told apart', () => {
    expect(read(failing('bad status code [503]')).metadata).toMatchObject({ reason: 'status', status: 503 });
    expect(read(failing('empty response [404]')).metadata).toMatchObject({ reason: 'status', status: 404 });
    expect(read(failing('wget: server returned error: HTTP/1.1 500 Internal Server Error')).metadata).toMatchObject({
      status: 500,
    });
  });

  test('giving up', () => {
    const log = read(
      failing('bad status code [503]'),
      "DataSourceEc2.py[CRITICAL]: Giving up on md from ['http://169.254.169.254/2009-04-04/meta-data/instance-id'] after 126 seconds",
    );
    expect(log.metadata).toMatchObject({ outcome: 'failed', gaveUp: true, status: 503 });
  });

  test('CirrOS: tries, success, and the end of its patience', () => {
    const tries = ['checking http://169.254.169.254/2009-04-04/instance-id', 'failed 1/20: up 1.13. request failed'];
    expect(read(...tries).metadata).toMatchObject({ outcome: 'failed', reason: 'other', gaveUp: false });
    expect(read(...tries, 'successful after 5/20 tries: up 8.76. iid=i-00000007').metadata).toMatchObject({
      outcome: 'ok',
    });
    expect(read(...tries, 'failed to read iid from metadata. tried 20').metadata).toMatchObject({ gaveUp: true });
  });

  test('a datasource at the end says what cloud-init found', () => {
    const finished = (source: string) =>
      `Cloud-init v. 0.7.5 finished at Sat, 21 Nov 2026 00:48:13 +0000. Datasource ${source}.  Up 46.95 seconds`;
    const found = read(failing('bad status code [500]'), finished('DataSourceOpenStack [net,ver=2]'));
    expect(found.metadata?.outcome).toBe('ok');
    expect(found.cloudInit).toEqual({
      version: '0.7.5',
      stage: 'finished',
      upSeconds: 46.95,
      datasource: 'DataSourceOpenStack [net,ver=2]',
    });
    const none = read(failing('bad status code [500]'), finished('DataSourceNone'));
    expect(none.metadata?.outcome).toBe('failed');
    expect(none.cloudInit?.datasource).toBe('DataSourceNone');
    const drive = read(finished('DataSourceConfigDrive [net,ver=2][source=/dev/sr0]'));
    expect(drive.metadata).toBeUndefined();
    expect(drive.cloudInit?.datasource).toBe('DataSourceConfigDrive [net,ver=2][source=/dev/sr0]');
  });
});

describe('the boot itself', () => {
  test('how far cloud-init came', () => {
    const log = read(
      "[   51.3] cloud-init[1541]: Cloud-init v. 20.3-2-g371b392c-0ubuntu1~18.04.1 running 'modules:final' at Wed, 28 Oct 2020 17:47:00 +0000. Up 51.01 seconds.",
    );
    expect(log.cloudInit).toEqual({
      version: '20.3-2-g371b392c-0ubuntu1~18.04.1',
      stage: 'modules:final',
      upSeconds: 51.01,
    });
  });

  test.each([
    ['kernelPanic', '[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)'],
    ['noRootDevice', 'ALERT!  UUID=1c1d does not exist.  Dropping to a shell!'],
    ['noRootDevice', 'Gave up waiting for root file system device.  Common problems:'],
    ['noBootableDevice', 'No bootable device.'],
    ['noBootableDevice', 'Boot failed: not a bootable disk'],
    ['emergencyMode', 'You are in emergency mode. After logging in, type "journalctl -xb" to view'],
    ['outOfMemory', '[   99.0] Out of memory: Killed process 612 (mysqld) total-vm:1 kB'],
  ] as const)('%s', (key, line) => {
    expect(read(line)[key]).toBeTypeOf('string');
    expect(read('all is well')[key]).toBeUndefined();
  });

  test('only the last of several boots is told', () => {
    const first = [
      '[    0.000000] Linux version 6.1.0',
      '[    1.0] Kernel panic - not syncing: x',
      'udhcpc: no lease, failing',
    ];
    const second = [
      'SeaBIOS (version 1.16.2)',
      '[    0.000000] Linux version 6.1.0',
      'udhcpc: lease of 10.0.0.6 obtained from 10.0.0.2, lease time 1',
    ];
    const log = read(...first, ...second);
    expect(log).toMatchObject({ noLease: false, lease: { address: '10.0.0.6' } });
    expect(log.kernelPanic).toBeUndefined();
    expect(read(...first, 'SeaBIOS (version 1.16.2)', 'No bootable device.')).toMatchObject({
      noBootableDevice: 'No bootable device.',
      noLease: false,
    });
  });

  test('host keys', () => {
    const log = read(
      '-----BEGIN SSH HOST KEY KEYS-----',
      'ecdsa-sha2-nistp256 AAAAE2Vj= root@web-1',
      'ssh-ed25519 AAAAC3Nz root@web-1',
      '-----END SSH HOST KEY KEYS-----',
      'ssh-rsa AAAAB3 other',
    );
    expect(log.sshHostKeys).toEqual(['ecdsa-sha2-nistp256 AAAAE2Vj=', 'ssh-ed25519 AAAAC3Nz']);
  });

  test('an empty console is empty, whatever control characters it has', () => {
    expect(read('', '\u001b[2J\u001b[1;1H', '\u001bc').empty).toBe(true);
    expect(read('x').empty).toBe(false);
  });

  test('no control sequence of the guest comes through', () => {
    const log = read('\u001b]0;title\u0007\u001b[31mKernel panic - not syncing: \u001b[1mx\u009b0m\u0000\u0008');
    expect(log.kernelPanic).toBe('Kernel panic - not syncing: x0m');
  });

  test('no input makes it throw', () => {
    expectNeverThrows(
      parseConsoleLog,
      fixtures('console-log')
        .slice(0, 3)
        .map(({ text }) => text),
    );
  });
});
