import type { Bundle } from '../../src/bundle/open.ts';
import { alsoAsked, instanceId, port1, repeating, web1 } from './edit-bundle.ts';

/** Another instance of web-1's network, and how many of five pings it answers to each sender. */
export interface Mate {
  readonly name: string;
  readonly host: string;
  readonly address: string;
  readonly qdhcp: number;
  readonly qrouter: number;
  readonly status?: string;
}

const network: string = port1.network_id;

/** What `ping` prints when so many of five are answered. */
export const pingOutput = (to: string, received: number): string =>
  `PING ${to} (${to}) 56(84) bytes of data.\n\n--- ${to} ping statistics ---\n5 packets transmitted, ${received} received, ${100 - received * 20}% packet loss, time 819ms\n${received === 0 ? '' : 'rtt min/avg/max/mdev = 0.5/0.6/0.7/0.1 ms\n'}`;

/** The same cloud with neighbours of web-1 in it, as its APIs list them and as its network host pings them. */
export function withMates(bundle: Bundle, mates: readonly Mate[], router = 5): Bundle {
  const ports = mates.map((m, i) => ({
    ...port1,
    id: `0000000${i}-0000-4000-8000-00000000000${i}`,
    device_id: `1111111${i}-0000-4000-8000-00000000000${i}`,
    mac_address: `fa:16:3e:00:00:0${i}`,
    'binding:host_id': m.host,
    fixed_ips: [{ ...port1.fixed_ips[0], ip_address: m.address }],
  }));
  const model = `/ports?device_id=${instanceId}`;
  const query = `/v2.0/ports?status=ACTIVE&limit=200&network_id=${network}`;
  const here: string = port1['binding:host_id'];
  let edited = alsoAsked(bundle, model, query, (body) => ({ ...body, ports: [port1, ...ports] }));
  edited = alsoAsked(edited, model, `${query}&binding%3Ahost_id=${here}`, (body) => ({
    ...body,
    ports: [port1, ...ports.filter((p) => p['binding:host_id'] === here)],
  }));
  mates.forEach((m, i) => {
    const server = { ...web1, id: ports[i]?.device_id, name: m.name, status: m.status ?? 'ACTIVE' };
    edited = alsoAsked(edited, '/servers/detail?', `/v2.1/servers/${ports[i]?.device_id}`, () => ({ server }));
    edited = pinged(edited, `qdhcp-${network}`, m.address, m.qdhcp);
    edited = pinged(edited, 'qrouter-', m.address, m.qrouter);
  });
  edited = pinged(edited, `qdhcp-${network}`, '10.0.0.1', router);
  return pinged(edited, 'qrouter-', '10.0.0.2', 5);
}

const pinged = (bundle: Bundle, netns: string, to: string, received: number): Bundle =>
  repeating(
    bundle,
    'net1',
    netns === 'qrouter-' ? '-W 1 198.19.0.1' : `${netns} ping`,
    'neighbours',
    () => pingOutput(to, received),
    [...['ping', '-n', '-c', '5', '-i', '0.2', '-W', '1'], to],
  );
