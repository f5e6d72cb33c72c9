import { observed } from '../../engine/fact.ts';
import { source } from '../io.ts';
import { networkById, portNetwork, servingRouters } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';

/** Physical networks that Neutron names: where the API shows them, which it does to admins. */
export interface ProviderNetworks {
  /** Of the port's own network; undefined when it is a tenant network. */
  readonly own: string | undefined;
  /** Of each serving router's external network, by router id. */
  readonly outside: ReadonlyMap<string, string>;
}

export const providerNetworks = source<PortSubject, ProviderNetworks>(
  'port.provider-networks',
  (subject) => subject.id,
  async (subject, facts) => {
    const [own, serving] = await Promise.all([facts.get(portNetwork, subject), facts.get(servingRouters, subject)]);
    if (!own.ok) return own;
    if (!serving.ok) return serving;
    const outside = new Map<string, string>();
    for (const { router } of serving.value.value) {
      const id = router.external_gateway_info?.network_id;
      const network = id === undefined ? undefined : await facts.get(networkById, id);
      const physical = network?.ok === true ? network.value.value['provider:physical_network'] : undefined;
      if (physical) outside.set(router.id, physical);
    }
    return observed({ own: own.value.value['provider:physical_network'] ?? undefined, outside }, ...own.value.evidence);
  },
);
