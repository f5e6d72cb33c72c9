import { hostOvs } from '../host.ts';
import type { Store } from '../io.ts';
import type { Placement } from '../placement.ts';
import { guestEnd } from './points.ts';

/** The instance's port of Open vSwitch on its host, by number. */
export interface SwitchPort {
  readonly bridge: string;
  readonly port: number;
}

/** Whether a port of the instance is one of Open vSwitch: a Linux bridge has no place to put packets in. */
export const takesPackets = ({ backend, bound, segment }: Placement): boolean =>
  backend.attachment(bound, segment).some((device) => device.in?.driver === 'ovs');

/** Where packets can be put in that the instance is to seem to have sent. */
export async function switchPortOf(facts: Store, place: Placement): Promise<SwitchPort | undefined> {
  if (!takesPackets(place)) return undefined;
  const ovs = await facts.get(hostOvs, place.host);
  const own = guestEnd(place).points.at(-1)?.device;
  const bridge = ovs.ok ? ovs.value.value.bridges.find((b) => b.ports.some((p) => p.name === own)) : undefined;
  const port = bridge?.ports.find((p) => p.name === own)?.interfaces[0]?.ofport;
  return bridge === undefined || port === undefined || port < 0 ? undefined : { bridge: bridge.name, port };
}
