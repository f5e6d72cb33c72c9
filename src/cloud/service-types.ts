import type { ServiceType } from './cloud.ts';

/** What differs between the services, as data. */
interface ServiceFacts {
  /** Official type first, then what catalogs still say (service-types-authority, and Nova's `compute_legacy`). */
  readonly catalogTypes: readonly [ServiceType, ...string[]];
  /** Prefixes of `<prefix>_endpoint_override` and friends in clouds.yaml. */
  readonly configPrefixes: readonly string[];
  /** Version segment that is added when the catalog's URL has none; empty when the API has none. */
  readonly versionPath: string;
  /** First word of `OpenStack-API-Version` where the service has microversions. */
  readonly microversionName?: string;
  /** Header of older releases that know no `OpenStack-API-Version`. */
  readonly legacyMicroversionHeader?: string;
}

export const services: Readonly<Record<ServiceType, ServiceFacts>> = {
  identity: { catalogTypes: ['identity'], configPrefixes: ['identity'], versionPath: '/v3' },
  compute: {
    catalogTypes: ['compute', 'compute_legacy'],
    configPrefixes: ['compute'],
    versionPath: '/v2.1',
    microversionName: 'compute',
    // Nova before 2.27 (Mitaka) reads only this one.
    legacyMicroversionHeader: 'x-openstack-nova-api-version',
  },
  network: { catalogTypes: ['network'], configPrefixes: ['network'], versionPath: '/v2.0' },
  image: { catalogTypes: ['image'], configPrefixes: ['image'], versionPath: '/v2' },
  placement: {
    catalogTypes: ['placement'],
    configPrefixes: ['placement'],
    versionPath: '',
    microversionName: 'placement',
  },
  'block-storage': {
    catalogTypes: ['block-storage', 'volumev3', 'block-store', 'volume', 'volumev2'],
    configPrefixes: ['block_storage', 'volumev3', 'block_store', 'volume', 'volumev2'],
    versionPath: '/v3',
    microversionName: 'volume',
  },
  baremetal: {
    catalogTypes: ['baremetal', 'bare-metal'],
    configPrefixes: ['baremetal', 'bare_metal'],
    versionPath: '/v1',
    microversionName: 'baremetal',
    // Ironic before 2024.2 reads only this one.
    legacyMicroversionHeader: 'x-openstack-ironic-api-version',
  },
  'load-balancer': { catalogTypes: ['load-balancer'], configPrefixes: ['load_balancer'], versionPath: '/v2' },
};

export const serviceTypes = Object.keys(services) as readonly ServiceType[];
