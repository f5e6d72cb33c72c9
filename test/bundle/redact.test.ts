import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, withoutTags } from '../../src/bundle/redact.ts';

const redactor = createRedactor(Buffer.from('a key for tests'));
const secret = 'Canary.s3cret/x+y';

describe('text', () => {
  it.each([
    ['an ini option', `metadata_proxy_shared_secret = ${secret}`],
    ['an ini option with blanks in its value', `password = ${secret} and more ${secret}`],
    ['a commented option', `#  admin_password = ${secret}`],
    ['an option without blanks', `password=${secret}`],
    ['a transport URL', `transport_url = rabbit://openstack:${secret}@ctl:5672/`],
    ['several brokers', `transport_url = rabbit://a:${secret}@ctl1:5672,b:${secret}@ctl2:5672//`],
    ['a database URL', `connection = mysql+pymysql://nova:${secret}@ctl/nova?charset=utf8`],
    ['a URL inside a log line', `2026-11-21 INFO connecting to amqp://nova:${secret}@ctl:5672 (attempt 3)`],
    ['a token header in a log', `-H "X-Auth-Token: ${secret}" -H "Accept: */*"`],
    ['a header of a dump', `X-Subject-Token: ${secret}`],
    ['basic authorization', `Authorization: Basic Q2FuYXJ5${secret}`],
    ['bearer authorization in JSON', `{"Authorization": "Bearer ${secret}"}`],
    ['a cookie', `Set-Cookie: session=${secret}; HttpOnly`],
    ['a Python dictionary', `{'adminPass': u'${secret}', 'name': 'web-1'}`],
    ['JSON in a log line', `body {"auth": {"password": "${secret}", "user": "x"}}`],
    ['escaped JSON', `"{\\"password\\": \\"${secret}\\", \\"user\\": \\"x\\"}"`],
    ['a quoted value with an escaped quote', `"password": "ab\\"${secret}"`],
    ['YAML', `admin_password: ${secret}`],
    ['an option of a process', `mysqld_exporter --password ${secret} --port 3306`],
    ['an option with an equals sign', `nova-api --os-password=${secret} --debug`],
    ['the argument vector of /proc', `nova\0--os-token\0${secret}\0--debug`],
    ['a password glued to mysql -p', `mysql -u root -p${secret} nova`],
    ['sshpass', `sshpass -p ${secret} ssh root@cmp1`],
    ['ipmitool', `ipmitool -I lanplus -H bmc -U admin -P ${secret} power status`],
    ['curl -u', `curl -s -u admin:${secret} http://ctl/`],
    ['an environment', `OS_PASSWORD=${secret}\nHOME=/root`],
    ['VNC in a domain', `<graphics type='vnc' port='5900' passwd='${secret}' keymap='en-us'/>`],
    ['an XML element', `<adminPass>${secret}</adminPass>`],
    ['user data in a console', `Unhandled non-multipart (text/x-not-multipart) userdata: '${secret}...'`],
    ['keepalived', `auth_type PASS\n    auth_pass ${secret}`],
    ['haproxy', `stats auth admin:${secret}`],
    ['BGP', `neighbor 192.0.2.1 password ${secret}`],
    ['an application credential', `application_credential_secret: '${secret}'`],
    ['a list', `"passwords": ["${secret}", "${secret}"]`],
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\n${secret}\nx==\n-----END RSA PRIVATE KEY-----`],
    ['a private key that is cut off', `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n${secret}`],
  ])('takes the secret out of %s', (_where, line) => {
    const out = redactor.text(line);
    expect(out).not.toContain(secret);
    expect(out).toMatch(/REDACTED-[0-9a-f]{8}/);
    expect(redactor.body(JSON.stringify({ output: line }))).not.toContain(secret);
  });

  it.each([
    ['a Fernet token', `token gAAAAABrAOtiPjETnE9dQ5reOZdNeBFobBvdujp9yFMHyFYQ8MrehbGAQSfJE96b done`],
    ['a JWT', 'id eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P done'],
    ['a crypt hash', 'root:$6$rounds=5000$saltsaltsalt$Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFyYmF6:19000:'],
    ['an IPsec key', '\tauth-trunc hmac(sha256) 0x0123456789abcdef0123456789abcdef 128'],
    ['a UUID token', 'X-Auth-Token: 2f6dbd2b6a5c4f0e9a3bb9f0b1a2c3d4'],
    ['a token in a query', 'GET /vnc_auto.html?token=2f6dbd2b-6a5c HTTP/1.1'],
  ])('knows %s by its look', (_what, line) => {
    expect(redactor.text(line)).toMatch(/REDACTED-[0-9a-f]{8}/);
    expect(redactor.body(JSON.stringify([line]))).toMatch(/REDACTED-[0-9a-f]{8}/);
  });

  it.each([
    'cookie=0x5a3c1d2e4f6a7b8c, duration=12.3s, table=0, n_packets=5, priority=100 actions=NORMAL',
    'sudo: a password is required',
    'ops@cmp1: Permission denied (publickey,password).',
    'ERROR keystonemiddleware: Invalid token: expired',
    "Access denied for user 'nova'@'10.0.0.1' (using password: YES)",
    'transport_url = ****',
    'systemd-ask-password-wall.service loaded inactive dead Forward Password Requests to Wall',
    '-object {"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/master-key.aes"}',
    'ssl_key_file = /etc/nova/key.pem',
    "<secret type='ceph' uuid='457eb676-33da-42ec-9a8c-9292d60fbdb4'/>",
    'tcp 10.0.0.1:5672 http://ctl:8774/v2.1 user@host',
    '"password_expires_at": null',
  ])('leaves alone: %s', (line) => {
    expect(redactor.text(line)).toBe(line);
  });

  it('keeps what stands around a secret', () => {
    const line = 'connection = mysql+pymysql://nova:pw12345678@ctl/nova?charset=utf8';
    expect(withoutTags(redactor.text(line))).toBe('connection = mysql+pymysql://nova:REDACTED@ctl/nova?charset=utf8');
    const brokers = 'rabbit://a:one@ctl1:5672,b:two@ctl2:5672//';
    expect(withoutTags(redactor.text(brokers))).toBe('rabbit://a:REDACTED@ctl1:5672,b:REDACTED@ctl2:5672//');
  });

  it('leaves a line of sudoers as it is', () => {
    const line = "echo 'ops ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/ostk-doctor";
    expect(redactor.text(line)).toBe(line);
  });

  it('shows whether two secrets are the same, however they are written, and not what they are', () => {
    const quoted = redactor.text(`shared_secret = "${secret}"`).match(/REDACTED-\w+/)?.[0];
    const bare = redactor.text(`shared_secret=${secret}`).match(/REDACTED-\w+/)?.[0];
    expect(quoted).toBe(bare);
    expect(redactor.tag('another')).not.toBe(redactor.tag(secret));
    expect(createRedactor().tag(secret)).not.toBe(createRedactor().tag(secret));
  });

  it('changes no output of any tool that is kept as a fixture', () => {
    const folder = join(import.meta.dirname, '../fixtures');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /^(?:ovs|ovs-ofctl|ovs-appctl|iptables-save|conntrack|ps|ip-link|bridge-fdb|nft|virsh|sysctl)\/.*\.(?:txt|json)$/.test(
        name,
      ),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const name of files) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(redactor.text(text), name).toBe(text);
    }
  });

  it('is quick on output made to be slow', () => {
    const megabyte = 1 << 20;
    const hostile = ['password="\\', 'a://b:', 'eyJ', 'token=', 'curl ', '--secret ', 'x://@,:', 'authorization: '];
    const start = performance.now();
    for (const piece of hostile) redactor.text(piece.repeat(megabyte / piece.length));
    expect(performance.now() - start).toBeLessThan(8000);
  });

  it('redacts once: a second time changes nothing', () => {
    const fragment = fc.oneof(
      fc.constantFrom(
        'password',
        'token',
        'secret',
        '=',
        ': ',
        ' = ',
        '"',
        "'",
        '\\"',
        '\n',
        ' ',
        ',',
        '@',
        '://',
        ':',
        '<',
        '>',
      ),
      fc.constantFrom(
        '--password',
        'X-Auth-Token: ',
        'Authorization: Basic ',
        'gAAAAABrAOtiPjETnE9dQ5reOZdNeB',
        '{',
        '[',
        ']',
      ),
      fc.constantFrom(
        '-----BEGIN PRIVATE KEY-----',
        '-----END PRIVATE KEY-----',
        'mysql -p',
        'curl -u a:',
        '\0',
        'Cookie: a=',
      ),
      fc.string({ minLength: 1, maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 14 }), (parts) => {
        const once = redactor.text(parts.join(''));
        expect(createRedactor(Buffer.from('another key')).text(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('JSON', () => {
  const redact = (value: unknown): unknown => JSON.parse(redactor.body(JSON.stringify(value)));
  const kept = (value: unknown): string => withoutTags(redactor.body(JSON.stringify(value)));

  it('takes secrets out by their keys', () => {
    for (const key of [
      'adminPass',
      'admin_pass',
      'password',
      'user_data',
      'OS-EXT-SRV-ATTR:user_data',
      'private_key',
      'ipmi_password',
      'auth_key',
      'passcode',
      'psk',
      'configdrive',
    ]) {
      expect(kept({ [key]: secret, name: 'web-1' })).toBe(`{${JSON.stringify(key)}:"REDACTED","name":"web-1"}`);
    }
  });

  it('keeps the names of an instance’s metadata and the lengths of nothing of their values', () => {
    expect(kept({ server: { name: 'web-1', metadata: { role: secret, n: 'x' } } })).toBe(
      '{"server":{"name":"web-1","metadata":{"role":"REDACTED","n":"REDACTED"}}}',
    );
    expect(kept({ servers: [{ metadata: { role: secret } }] })).toBe('{"servers":[{"metadata":{"role":"REDACTED"}}]}');
  });

  it('keeps the metadata of aggregates, which place instances', () => {
    const aggregates = { aggregates: [{ name: 'a', metadata: { availability_zone: 'nova' } }] };
    expect(redact(aggregates)).toEqual(aggregates);
  });

  it('keeps Keystone’s answer, whose wrapper is called token', () => {
    const answer = {
      token: {
        methods: ['password'],
        user: { name: 'admin', password_expires_at: null },
        expires_at: '2026-11-22T00:00:00Z',
      },
    };
    expect(redact(answer)).toEqual(answer);
  });

  it('looks into the strings as well', () => {
    expect(kept({ output: `cloud-init: password: ${secret}` })).toBe('{"output":"cloud-init: password: REDACTED"}');
  });

  it('passes on a body without secrets byte for byte', () => {
    const body = '{ "ports" : [ {"id": "x", "big": 12345678901234567890} ] }\n';
    expect(redactor.body(body)).toBe(body);
    const api = join(import.meta.dirname, '../fixtures/api/ports.json');
    const ports = readFileSync(api, 'utf8');
    expect(redactor.body(ports)).toBe(ports);
  });

  it('sees through escapes', () => {
    expect(redactor.body(`{"\\u0070assword": "${secret}"}`)).not.toContain(secret);
  });
});

describe('argv and what was learned', () => {
  it('takes the word after a secret option', () => {
    expect(redactor.argv(['openstack', '--os-password', secret, '--debug']).map(withoutTags)).toEqual([
      'openstack',
      '--os-password',
      'REDACTED',
      '--debug',
    ]);
    expect(redactor.argv(['x', `--token=${secret}`]).join(' ')).not.toContain(secret);
    expect(redactor.argv(['cat', '--password-file', '/etc/x'])).toEqual(['cat', '--password-file', '/etc/x']);
  });

  it('finds the run’s own secrets wherever they turn up, unless they are ordinary words', () => {
    const own = createRedactor();
    own.learn('tr0ub4dor&3');
    own.learn('openstack');
    expect(withoutTags(own.text('root tr0ub4dor&3 openstack'))).toBe('root REDACTED openstack');
    expect(withoutTags(own.body('{"x":"tr0ub4dor&3"}'))).toBe('{"x":"REDACTED"}');
  });
});
