import { deviceName, namespaceName } from '../addresses.ts';

/** Where a host serves metadata to a network (neutron ovn metadata agent, get_veth_name and _get_namespace_name). */
export interface MetadataPort {
  readonly netns: string;
  /** Of the pair: the one in the namespace, and the one on the integration bridge. */
  readonly inside: string;
  readonly outside: string;
}

/** `tap` and ten characters of the network's id, for which of the pair it is stands behind them. */
export function metadataPort(networkId: string): MetadataPort {
  const stem = deviceName('tap', networkId).slice(0, 13);
  return { netns: namespaceName('ovnmeta', networkId), inside: `${stem}1`, outside: `${stem}0` };
}
