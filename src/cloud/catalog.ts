import { err, ok, type Result } from '../engine/result.ts';
import type { CatalogEntry } from './auth/token.ts';
import type { Endpoint, ServiceType } from './cloud.ts';
import type { CloudConfig, EndpointInterface } from './config/types.ts';
import { services, serviceTypes } from './service-types.ts';

/** Why there is no endpoint, in words; `absent` when the cloud simply does not have the service. */
export interface NoEndpoint {
  readonly absent: boolean;
  readonly why: string;
}

type Wanted = Pick<CloudConfig, 'region' | 'interface' | 'serviceInterface' | 'endpointOverride' | 'auth'>;

/** One endpoint of the catalog by type, interface and region; an override of the configuration wins. */
export function chooseEndpoint(
  service: ServiceType,
  catalog: readonly CatalogEntry[],
  config: Wanted,
): Result<Endpoint, NoEndpoint> {
  const region = config.region === undefined ? {} : { region: config.region };
  const override = config.endpointOverride[service];
  if (override !== undefined) return ok({ service, ...region, url: override });

  const wanted = config.serviceInterface[service] ?? config.interface;
  const entries = services[service].catalogTypes.flatMap((type) => catalog.filter((entry) => entry.type === type));
  if (entries.length === 0) {
    if (service === 'identity' && config.auth.auth_url) return ok({ service, ...region, url: config.auth.auth_url });
    const have = [...new Set(catalog.map((entry) => entry.type))].sort();
    const listed = have.length > 0 ? `it has ${have.join(', ')}` : 'it is empty';
    return err({ absent: catalog.length > 0, why: `the catalog has no ${service} service; ${listed}` });
  }
  const endpoints = entries.flatMap((entry) => entry.endpoints);
  const here = endpoints.filter((endpoint) => config.region === undefined || regionOf(endpoint) === config.region);
  const match = here.find((endpoint) => interfaceOf(endpoint.interface) === wanted);
  if (match) {
    const found = regionOf(match);
    return ok({ service, ...(found === undefined ? {} : { region: found }), url: match.url });
  }
  if (here.length === 0) {
    const regions = [...new Set(endpoints.map(regionOf).filter((name) => name !== undefined))].sort();
    return err({
      absent: false,
      why: `no ${service} endpoint in region ${config.region}; the catalog knows ${regions.join(', ')}`,
    });
  }
  const interfaces = [...new Set(here.map((endpoint) => endpoint.interface))].sort();
  return err({ absent: false, why: `no ${wanted} endpoint of ${service}; the catalog has ${interfaces.join(', ')}` });
}

/** Every service we know that has an endpoint, in our order. */
export function chooseAll(catalog: readonly CatalogEntry[], config: Wanted): readonly Endpoint[] {
  return serviceTypes.flatMap((service) => {
    const chosen = chooseEndpoint(service, catalog, config);
    return chosen.ok ? [chosen.value] : [];
  });
}

const regionOf = (endpoint: CatalogEntry['endpoints'][number]): string | undefined =>
  endpoint.region_id ?? endpoint.region ?? undefined;

const interfaceOf = (name: string): EndpointInterface | string => name.replace(/URL$/, '');

const versionSegment = /^v\d+(\.\d+)?$/;

/**
 * The URL that paths are appended to. The version is taken from the catalog where it has one, alone
 * (`/v2.1`) or before a project id (`/v3/<project>`); else the one we speak is added (Neutron, Glance, Ironic).
 */
export function versionedBase(service: ServiceType, url: string): string {
  const base = url.replace(/\/+$/, '');
  if (service === 'identity') return `${unversioned(base).replace(/\/+$/, '')}/v3`;
  const segments = new URL(base).pathname.split('/').slice(-2);
  return segments.some((segment) => versionSegment.test(segment)) ? base : base + services[service].versionPath;
}

/** The same URL up to the version: where the list of versions lives. Ends in `/`. */
export function unversioned(url: string): string {
  const parsed = new URL(url);
  const segments = parsed.pathname.split('/').filter((segment) => segment !== '');
  const at = segments.findLastIndex((segment) => versionSegment.test(segment));
  const kept = at === -1 ? segments : segments.slice(0, at);
  parsed.pathname = kept.length === 0 ? '/' : `/${kept.join('/')}/`;
  return parsed.href;
}
