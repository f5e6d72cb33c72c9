import type { Bundle } from '../../src/bundle/open.ts';
import { questionCommand } from '../../src/facts/names.ts';
import { alsoAsked, alsoRun, editing, healthy, port1 } from '../support/edit-bundle.ts';
import type { Case } from './cases.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API, edited by hand
type Body = any;

/** The address of `--to` as the API knows it: held by these ports, and floating nowhere. */
export const holding = (bundle: Bundle, address: string, ports: readonly Body[]): Bundle =>
  alsoAsked(
    alsoAsked(bundle, '/v2.0/ports?device_id=', `/v2.0/ports?fixed_ips=ip_address%3D${address}`, () => ({ ports })),
    '/v2.0/floatingips?port_id=',
    `/v2.0/floatingips?floating_ip_address=${address}`,
    () => ({ floatingips: [] }),
  );

const elsewhere: Body = {
  ...port1,
  id: '0f0f0f0f-1111-4222-8333-444455556666',
  name: 'virtual-ip',
  network_id: '0a0a0a0a-1111-4222-8333-444455556666',
  device_owner: 'Octavia',
  device_id: 'lb',
  fixed_ips: [{ subnet_id: '0b0b0b0b-1111-4222-8333-444455556666', ip_address: '10.77.0.5' }],
};

const router: string =
  healthy.hosts.get('net1')?.commands.find((c) => c.netns?.startsWith('qrouter-') === true)?.netns ?? '';

/** The name server of the subnet, asked from the router; `stdout` is what its answer begins with. */
export const asking = (server: string, stdout: string): Bundle =>
  alsoRun(
    editing(healthy, '/v2.0/subnets?network_id=', (body) => {
      for (const s of body.subnets) s.dns_nameservers = [server];
    }),
    'net1',
    { argv: questionCommand(server, router).argv, netns: router },
    { code: 0, stdout },
  );

/** What can only be found where the operator named a peer. */
export const askedCases: readonly Case[] = [
  {
    says: 'a peer on a network that no router joins to its own is told',
    code: 'OSD-PEER-001',
    names: '10.77.0.5',
    options: { to: '10.77.0.5' },
    bundle: () => holding(healthy, '10.77.0.5', [elsewhere]),
  },
  {
    says: 'an outside address that keeps silent while the gateway answers is told',
    code: 'OSD-PEER-002',
    names: '203.0.113.7',
    options: { to: '203.0.113.7' },
    bundle: () =>
      alsoRun(
        holding(healthy, '203.0.113.7', []),
        'net1',
        { argv: ['ping', '-n', '-c', '5', '-i', '0.2', '-W', '1', '203.0.113.7'], netns: router },
        {
          code: 1,
          stdout:
            'PING 203.0.113.7 (203.0.113.7) 56(84) bytes of data.\n\n--- 203.0.113.7 ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 819ms\n',
        },
      ),
  },
  {
    says: 'a name server that answers nothing is told when somebody complains of names',
    code: 'OSD-NAMES-001',
    names: '192.0.2.53',
    options: { symptom: 'no-names' },
    bundle: () => asking('192.0.2.53', ''),
  },
];
