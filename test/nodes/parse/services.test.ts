import { describe, expect, test } from 'vitest';
import { parseDhcpHosts, parseDhcpLeases, parseDhcpOptions } from '../../../src/nodes/parse/dnsmasq.ts';
import { dnsmasqOf, haproxyOf, keepalivedOf, parseProcesses } from '../../../src/nodes/parse/processes.ts';
import {
  parseDomainInterfaces,
  parseDomainList,
  parseDomainState,
  parseDomainXml,
} from '../../../src/nodes/parse/virsh.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const samples = (tool: string, part: string): readonly string[] =>
  fixtures(tool)
    .filter(({ name }) => name.includes(part))
    .map(({ text }) => text);

describe('ps', () => {
  const processes = understood(parseProcesses(fixture('ps', 'lb-net1-processes.txt')));

  test('who runs what since when', () => {
    expect(processes[0]).toEqual({
      pid: 1,
      ppid: 0,
      user: 'root',
      startedAt: '2026-11-21T02:42:50',
      args: '/usr/lib/systemd/systemd',
    });
    expect(processes.find(({ user }) => user === 'message+')?.args).toContain('dbus-daemon');
  });

  test('the dnsmasq of a network and the haproxy of a router are found by their ids', () => {
    const network = '0dcb2f1f-dafb-4512-b238-8ce8b7c65b93';
    expect(dnsmasqOf(processes, network)).toMatchObject({ pid: 442, user: 'nobody' });
    expect(dnsmasqOf(processes, '00000000-0000-0000-0000-000000000000')).toBeUndefined();
    expect(haproxyOf(processes, 'ce8051a8-c7bb-4960-9492-6f8480c1a5cf')).toMatchObject({ pid: 467, user: 'neutron' });
    expect(haproxyOf(processes, network)).toBeUndefined();
    expect(keepalivedOf(processes, network)).toBeUndefined();
  });

  test('a search for dnsmasq is not dnsmasq', () => {
    const line = '    900     1 root     Sat Nov 21 02:47:36 2026 grep dnsmasq /var/lib/neutron/dhcp/n1/pid\n';
    expect(dnsmasqOf(understood(parseProcesses(line)), 'n1')).toBeUndefined();
    const real =
      '    901     1 nobody   Sun Nov  1 02:47:36 2026 /usr/sbin/dnsmasq --pid-file=/var/lib/neutron/dhcp/n1/pid\n';
    expect(dnsmasqOf(understood(parseProcesses(real)), 'n1')?.startedAt).toBe('2026-11-01T02:47:36');
  });

  test('no input makes it throw', () => expectNeverThrows(parseProcesses, samples('ps', 'processes')));
});

describe('files of dnsmasq', () => {
  test('what Neutron told it of each port', () => {
    const hosts = understood(parseDhcpHosts(fixture('dnsmasq', 'lb-net1-host.txt')));
    expect(hosts).toHaveLength(3);
    expect(hosts[1]).toEqual({
      mac: 'fa:16:3e:79:62:2d',
      name: 'host-10-0-0-236.openstacklocal',
      tags: [],
      addresses: ['10.0.0.236'],
      ignored: false,
    });
  });

  test('tags, client ids, IPv6, and hosts that get no answer', () => {
    const text = [
      'fa:16:3e:00:00:01,host-10-0-0-5.openstacklocal.,10.0.0.5,set:port-1d6d',
      'fa:16:3e:00:00:02,id:ff:00:00:00:00:00:02:00:00:02:c9:00:fa:16:3e:00:00:00:00:02,host-10-0-0-6.openstacklocal.,10.0.0.6',
      'fa:16:3e:00:00:03,tag:dhcpv6,host-2001-db8--5.openstacklocal.,[2001:db8::5],[2001:db8::6],set:port-2',
      'fa:16:3e:00:00:04,ignore',
      'FA:16:3E:00:00:05,id:*,host-10-0-0-7.openstacklocal.,10.0.0.7,86400',
    ].join('\n');
    const hosts = understood(parseDhcpHosts(text));
    expect(hosts[0]).toMatchObject({
      tags: ['port-1d6d'],
      addresses: ['10.0.0.5'],
      name: 'host-10-0-0-5.openstacklocal.',
    });
    expect(hosts[1]).toMatchObject({ clientId: 'ff:00:00:00:00:00:02:00:00:02:c9:00:fa:16:3e:00:00:00:00:02' });
    expect(hosts[2]).toMatchObject({ addresses: ['2001:db8::5', '2001:db8::6'], tags: ['port-2'] });
    expect(hosts[3]).toEqual({ mac: 'fa:16:3e:00:00:04', tags: [], addresses: [], ignored: true });
    expect(hosts[4]).toMatchObject({ mac: 'fa:16:3e:00:00:05', clientId: '*', name: 'host-10-0-0-7.openstacklocal.' });
  });

  test('options by subnet', () => {
    const options = understood(parseDhcpOptions(fixture('dnsmasq', 'lb-net1-opts.txt')));
    expect(options.find(({ option }) => option === 'router')?.values).toEqual(['10.0.0.1']);
    expect(options.find(({ option }) => option === 'classless-static-route')?.values).toEqual([
      '169.254.169.254/32',
      '10.0.0.1',
      '0.0.0.0/0',
      '10.0.0.1',
    ]);
    expect(options.every(({ tags, version }) => tags[0]?.startsWith('subnet-') === true && version === 4)).toBe(true);
    expect(
      understood(
        parseDhcpOptions('tag:subnet-1,tag:port-2,option6:dns-server,[2001:db8::1]\ntag:subnet-1,option:mtu,1450'),
      ),
    ).toEqual([
      { tags: ['subnet-1', 'port-2'], option: 'dns-server', version: 6, values: ['[2001:db8::1]'] },
      { tags: ['subnet-1'], option: 'mtu', version: 4, values: ['1450'] },
    ]);
  });

  test('leases', () => {
    const leases = understood(parseDhcpLeases(fixture('dnsmasq', 'lb-net1-leases.txt')));
    const guest = leases.find(({ address }) => address === '10.0.0.236');
    expect(guest).toMatchObject({ mac: 'fa:16:3e:79:62:2d', clientId: '01:fa:16:3e:79:62:2d' });
    expect(guest?.expires).toBeGreaterThan(1_700_000_000);
    expect(understood(parseDhcpLeases('duid 00:01:00:01\n1795307268 12345 2001:db8::5 * *\n'))).toEqual([
      { expires: 1795307268, mac: '12345', address: '2001:db8::5' },
    ]);
  });

  test('no input makes them throw', () => {
    expectNeverThrows(parseDhcpHosts, samples('dnsmasq', 'host.txt'));
    expectNeverThrows(parseDhcpOptions, samples('dnsmasq', 'opts'));
    expectNeverThrows(parseDhcpLeases, samples('dnsmasq', 'leases'));
  });
});

describe('virsh', () => {
  test('the NIC of a guest on a Linux bridge', () => {
    const domain = understood(parseDomainXml(fixture('virsh', 'lb-cmp1-dumpxml.xml')));
    expect(domain).toMatchObject({ name: 'instance-00000001', novaName: 'web-1' });
    expect(domain.uuid).toMatch(/^[\da-f-]{36}$/);
    const [nic, ...others] = domain.interfaces;
    expect(others).toEqual([]);
    expect(nic).toMatchObject({ type: 'bridge', mac: 'fa:16:3e:79:62:2d', model: 'virtio', mtu: 1450 });
    expect(nic?.sourceBridge).toMatch(/^brq/);
    expect(nic?.target).toMatch(/^tap/);
  });

  test('in OVS the NIC tells its Neutron port', () => {
    const xml = `<domain type='kvm' id='1'><name>instance-00000001</name><uuid>u-1</uuid><devices>
      <interface type='bridge'><mac address='fa:16:3e:a7:45:cb'/><source bridge='br-int'/>
      <virtualport type='openvswitch'><parameters interfaceid='0e778df8-ca00-4000-8000-000000000001'/></virtualport>
      <target dev='tap0e778df8-ca'/><model type='virtio'/><mtu size='1450'/></interface></devices></domain>`;
    expect(understood(parseDomainInterfaces(xml))).toEqual([
      {
        type: 'bridge',
        mac: 'fa:16:3e:a7:45:cb',
        sourceBridge: 'br-int',
        target: 'tap0e778df8-ca',
        model: 'virtio',
        virtualport: 'openvswitch',
        interfaceId: '0e778df8-ca00-4000-8000-000000000001',
        mtu: 1450,
      },
    ]);
  });

  test('a tap that os-vif plugs itself names no bridge; hybrid plugging names its qbr', () => {
    const [plugged] = understood(parseDomainInterfaces(fixture('virsh', 'ovn-cmp1-dumpxml.xml')));
    expect(plugged).toMatchObject({ type: 'ethernet', target: 'tap93da2b63-6b', mtu: 1442 });
    expect(plugged?.sourceBridge).toBeUndefined();
    const [hybrid] = understood(parseDomainInterfaces(fixture('virsh', 'ovs-cmp1-dumpxml.xml')));
    expect(hybrid?.sourceBridge).toBe(hybrid?.target?.replace('tap', 'qbr'));
  });

  test('a NIC whose cable is pulled, a NIC that is a PCI device, and names with entities', () => {
    const xml = `<domain type='kvm'><name>instance-1</name><uuid>u-1</uuid>
      <metadata><nova:instance xmlns:nova="x"><nova:name>a &amp; b &lt;c&gt;</nova:name></nova:instance></metadata>
      <devices><disk><source file='x>y'/></disk>
      <interface type='bridge'><mac address='fa:16:3e:00:00:01'/><source bridge="qbr1"/><target dev='tap1'/><link state='down'/></interface>
      <!-- <interface type='commented'/> -->
      <interface type='hostdev' managed='yes'><mac address='fa:16:3e:00:00:02'/><source><address type='pci'/></source></interface>
      </devices></domain>`;
    expect(understood(parseDomainXml(xml))).toEqual({
      name: 'instance-1',
      uuid: 'u-1',
      novaName: 'a & b <c>',
      interfaces: [
        { type: 'bridge', mac: 'fa:16:3e:00:00:01', sourceBridge: 'qbr1', target: 'tap1', linkState: 'down' },
        { type: 'hostdev', mac: 'fa:16:3e:00:00:02' },
      ],
    });
  });

  test('XML that is cut off is a parse failure, not a guest without NIC', () => {
    const xml = fixture('virsh', 'lb-cmp1-dumpxml.xml');
    expect(parseDomainXml(xml.slice(0, xml.indexOf('<interface'))).ok).toBe(false);
    expect(parseDomainXml("error: failed to get domain 'x'\n").ok).toBe(false);
  });

  test('states and lists', () => {
    expect(understood(parseDomainState(fixture('virsh', 'lb-cmp1-domstate.txt')))).toBe('running');
    expect(understood(parseDomainState('shut off (crashed)\n'))).toBe('shut off');
    expect(understood(parseDomainList(fixture('virsh', 'lb-cmp1-list.txt')))).toEqual([
      { id: 1, name: 'instance-00000001', state: 'running' },
    ]);
    expect(
      understood(
        parseDomainList(
          ' Id    Name                           State\n----------\n -     instance-00000002              shut off\n',
        ),
      ),
    ).toEqual([{ name: 'instance-00000002', state: 'shut off' }]);
  });

  test('no input makes them throw', () => {
    expectNeverThrows(parseDomainXml, samples('virsh', 'dumpxml').slice(0, 2));
    expectNeverThrows(parseDomainState, samples('virsh', 'domstate'));
    expectNeverThrows(parseDomainList, samples('virsh', 'list'));
  });
});
