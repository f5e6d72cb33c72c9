import { describe, expect, it } from 'vitest';
import {
  alsoAsked,
  editing,
  editingPort,
  editingServer,
  floating1,
  healthy,
  instanceId,
  port1,
  refusing,
  web1,
} from '../support/edit-bundle.ts';
import { causesOf, expectComplaint, failuresOf, outcomesOf, withSite } from './doctor.ts';

const list = '/servers/detail?';
const fixedAddress: string = port1.fixed_ips[0].ip_address;
const floatingAddress: string = floating1.floating_ip_address;

/** The instance can also be asked for by its id. */
const byId = alsoAsked(healthy, list, `/v2.1/servers/${instanceId}`, () => ({ server: web1 }));

/** Its ports and floating addresses can also be asked for by address; nothing else has these addresses. */
const byAddress = [fixedAddress, floatingAddress].reduce(
  (bundle, address) =>
    alsoAsked(
      alsoAsked(bundle, '/ports?device_id=', `/v2.0/ports?fixed_ips=ip_address=${address}`, () => ({
        ports: address === fixedAddress ? [port1] : [],
      })),
      '/floatingips?',
      `/v2.0/floatingips?floating_ip_address=${address}`,
      () => ({ floatingips: address === floatingAddress ? [floating1] : [] }),
    ),
  alsoAsked(byId, '/ports?device_id=', `/v2.0/ports/${port1.id}`, () => ({ port: port1 })),
);

describe.concurrent('the instance that is meant', () => {
  it.each([
    ['its id', byId, instanceId],
    ['its fixed address', byAddress, fixedAddress],
    ['its floating address', byAddress, floatingAddress],
  ])('is found by %s', (_, bundle, reference) =>
    withSite({ bundle }, async (site) => {
      const { report } = await site.report(['port', reference]);
      expect(report).toMatchObject({ exitCode: 0, target: { id: instanceId, name: 'web-1' } });
    }),
  );

  it('may be named by its port where one port is looked at', () => {
    const asked = `/v2.1/servers/${port1.id}`;
    const bundle = refusing(alsoAsked(byAddress, list, asked), asked, 404, 'Instance could not be found.');
    return withSite({ bundle }, async (site) => {
      const { report } = await site.report(['port', port1.id]);
      expect(report).toMatchObject({ exitCode: 0, target: { id: instanceId } });
    });
  });

  it('is said not to exist, and where it was looked for', () =>
    withSite(
      { bundle: alsoAsked(healthy, list, '/v2.1/servers/detail?name=^nobody$&all_tenants=1', () => ({ servers: [] })) },
      async (site) => {
        const ran = await site.run(['net', 'nobody']);
        expectComplaint(ran, 'No instance nobody was found.', 'where: envvars/RegionOne', 'openstack server list');
      },
    ));

  it('may be hidden where a cell does not answer: whatever has no name is listed by its id', () => {
    const hidden = 'f00dbeef-0000-4000-8000-000000000003';
    const none = alsoAsked(healthy, list, '/v2.1/servers/detail?name=^nobody$&all_tenants=1', () => ({ servers: [] }));
    const bundle = alsoAsked(none, list, '/v2.1/servers?all_tenants=1', () => ({
      servers: [
        { id: hidden, status: 'UNKNOWN' },
        { id: instanceId, name: 'web-1' },
      ],
    }));
    return withSite({ bundle }, async (site) => {
      const ran = await site.run(['net', 'nobody']);
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).toContain('nobody cannot be told: a cell of Nova does not answer');
      expect(ran.stderr).toContain(hidden);
    });
  });

  it('is one where two cells list it while it moves', () => {
    const bundle = editing(healthy, list, ({ servers }) => ({ servers: [...servers, ...servers] }));
    return withSite({ bundle }, async (site) => {
      const { report } = await site.report(['port', 'web-1']);
      expect(report).toMatchObject({ exitCode: 0, target: { id: instanceId } });
    });
  });

  it('of a cell that does not answer has no name, no host and a cause of its own', () => {
    const server = { id: instanceId, status: 'UNKNOWN', tenant_id: web1.tenant_id, created: web1.created };
    const bundle = alsoAsked(healthy, list, `/v2.1/servers/${instanceId}`, () => ({ server }));
    return withSite({ bundle }, async (site) => {
      const { ran, report } = await site.report(['net', instanceId]);
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(causesOf(report)).toEqual(['OSD-VM-010']);
      expect(report.target).toMatchObject({ id: instanceId, name: instanceId, status: 'UNKNOWN' });
      expect(report.diagnosis.causes[0]?.finding.summary).toContain('does not answer');
    });
  });

  it('must be chosen by id where two have one name: each with project, status and host', () => {
    const twin = { ...web1, id: 'f00dbeef-0000-4000-8000-000000000002', tenant_id: 'beefproject', status: 'SHUTOFF' };
    const bundle = editing(healthy, list, ({ servers }) => ({
      servers: [...servers, { ...twin, 'OS-EXT-SRV-ATTR:host': 'cmp2' }],
    }));
    return withSite({ bundle }, async (site) => {
      const ran = await site.run(['net', 'web-1']);
      expectComplaint(ran, '2 instances answer to web-1.', 'by its id');
      expect(ran.stderr).toContain(`${instanceId} (project ${web1.tenant_id}, ACTIVE, cmp1)`);
      expect(ran.stderr).toContain(`${twin.id} (project beefproject, SHUTOFF, cmp2)`);
    });
  });

  it('may be deleted while it is looked at: the rest goes on', () => {
    const gone = `Instance ${instanceId} could not be found.`;
    const bundle = refusing(refusing(healthy, '/os-instance-actions', 404, gone), '/action', 404, gone);
    return withSite({ bundle }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 3, stderr: '' });
      expect(failuresOf(report)).toContainEqual({ kind: 'not-found', what: expect.stringContaining('console') });
      expect(outcomesOf(report)).toMatchObject({ 'host.domain': { status: 'ok' }, 'ping.from-dhcp': { status: 'ok' } });
    });
  });
});

const statusOf = (state: Record<string, unknown>) => editingServer(healthy, (server) => Object.assign(server, state));

describe.concurrent('an instance that does not run', () => {
  const unplaced = (since: string) =>
    editingPort(
      statusOf({
        status: 'BUILD',
        created: since,
        updated: since,
        'OS-EXT-SRV-ATTR:host': null,
        'OS-EXT-SRV-ATTR:hypervisor_hostname': null,
        'OS-EXT-STS:vm_state': 'building',
        'OS-EXT-STS:task_state': 'scheduling',
        'OS-EXT-STS:power_state': 0,
      }),
      (port) => {
        Object.assign(port, { status: 'DOWN', 'binding:host_id': '', 'binding:vif_type': 'unbound' });
      },
    );
  const ago = (ms: number) => new Date(Date.parse(healthy.manifest.startedAt) - ms).toISOString().replace(/\.\d+/, '');

  it('is told when it has no host for an hour, and no compute node is asked', () =>
    withSite({ bundle: unplaced(ago(3_600_000)) }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(causesOf(report)[0]).toMatch(/^OSD-VM-/);
      expect(outcomesOf(report)['host.domain']).toMatchObject({ status: 'skipped' });
      expect(JSON.stringify(report)).not.toContain('"host":"cmp1"');
    }));

  it('is given time when it has only begun to be built', () =>
    withSite({ bundle: unplaced(ago(5000)) }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran.stderr).toBe('');
      expect(report.diagnosis.causes).toEqual([]);
      expect(outcomesOf(report)['instance.status']).toMatchObject({ status: 'ok' });
    }));

  it.each([
    ['SHUTOFF', { status: 'SHUTOFF', 'OS-EXT-STS:vm_state': 'stopped', 'OS-EXT-STS:power_state': 4 }],
    ['PAUSED', { status: 'PAUSED', 'OS-EXT-STS:vm_state': 'paused', 'OS-EXT-STS:power_state': 3 }],
    [
      'ERROR',
      { status: 'ERROR', 'OS-EXT-STS:vm_state': 'error', fault: { code: 500, message: 'No valid host was found. ' } },
    ],
  ])('has %s as the cause', (status, state) =>
    withSite({ bundle: statusOf(state) }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(report.target?.status).toBe(status);
      expect(causesOf(report)[0]).toMatch(/^OSD-VM-/);
    }),
  );
});

describe.concurrent('ports', () => {
  it('may be missing: that is the cause', () =>
    withSite({ bundle: editing(healthy, `/ports?device_id=${instanceId}`, () => ({ ports: [] })) }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(causesOf(report)).toEqual(['OSD-PORT-008']);
    }));

  it('may be many on several networks: each is judged on its own', () => {
    const second = {
      ...port1,
      id: 'f00dbeef-0000-4000-8000-00000000000a',
      network_id: 'f00dbeef-0000-4000-8000-00000000000b',
      fixed_ips: [{ subnet_id: 'f00dbeef-0000-4000-8000-00000000000c', ip_address: '10.9.0.5' }],
      'binding:vif_type': 'binding_failed',
    };
    const bundle = editing(healthy, `/ports?device_id=${instanceId}`, () => ({ ports: [port1, second] }));
    return withSite({ bundle }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(report.target?.addresses.map(({ fixed }) => fixed)).toEqual([fixedAddress, '10.9.0.5']);
      const bound = report.steps.flatMap(({ checks }) => checks).filter(({ id }) => id === 'port.bound');
      expect(bound.map(({ subject, outcome }) => [subject, outcome.status])).toEqual([
        [`port ${port1.id.slice(0, 8)}`, 'ok'],
        ['port f00dbeef', 'problem'],
      ]);
      expect(report.paths).toHaveLength(2);
    });
  });

  it('may have IPv6 alone: nothing of IPv4 is expected of them', () => {
    const six = '2001:db8::5';
    const subnet = {
      cidr: '2001:db8::/64',
      ip_version: 6,
      gateway_ip: '2001:db8::1',
      ipv6_address_mode: 'dhcpv6-stateful',
    };
    const of6 = (body: { ports: { fixed_ips: { ip_address: string }[] }[] }) => {
      for (const port of body.ports) for (const ip of port.fixed_ips) ip.ip_address = six;
    };
    const port6 = editing(healthy, `/ports?device_id=${instanceId}`, of6);
    const bundle = editing(port6, /\/subnets[/?]/, (body) => {
      for (const one of body.subnets ?? [body.subnet])
        if (one.id === port1.fixed_ips[0].subnet_id) Object.assign(one, subnet);
    });
    return withSite({ bundle }, async (site) => {
      const { ran, report } = await site.report();
      expect([1, 3]).toContain(ran.code);
      expect(ran.stderr).toBe('');
      expect(report.target?.addresses).toMatchObject([{ fixed: six }]);
      expect(outcomesOf(report)['metadata.served']?.status).not.toBe('problem');
      expect(report.counts.unknown).toBe(0);
    });
  });
});
