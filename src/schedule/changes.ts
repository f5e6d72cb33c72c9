import type { ScheduleChange } from '../engine/schedule.ts';
import { nameOf, unitOf } from './admits.ts';

const amountWords = (resource: string, amount: number): string =>
  resource === 'VCPU' ? `${amount}` : `${amount}${unitOf(resource) === resource ? '' : ` ${unitOf(resource)}`}`;

/** A change in words, as it stands behind FITS IF: `memory ≤ 10010 MB`, `without trait:CUSTOM_GPU=required`. */
export function wordsOf(change: ScheduleChange): string {
  switch (change.kind) {
    case 'resource':
      return `${nameOf(change.resource)} ≤ ${amountWords(change.resource, change.atMost)}`;
    case 'extra-spec':
      if (change.instead === undefined) return `without ${change.key}=${change.value}`;
      return change.instead.key === change.key && change.key.startsWith('resources')
        ? `${change.key} ≤ ${change.instead.value}`
        : `with ${change.instead.key}=${change.instead.value}${change.value === '' ? '' : ` for ${change.key}=${change.value}`}`;
    case 'image-property':
      if (change.key === 'disk_format') return `an image that is not ${change.value}`;
      return change.instead === undefined
        ? `image without ${change.key}=${change.value}`
        : `image with ${change.key}=${change.instead}`;
    case 'zone':
      return change.instead === undefined ? `without zone ${change.asked}` : `zone ${change.instead}`;
    case 'host':
      return change.instead === undefined ? `without host ${change.asked}` : `host ${change.instead}`;
    case 'hint':
      return `without hint ${change.name}=${change.value}`;
    case 'group':
      return change.instead === undefined
        ? `without group ${change.group}`
        : `group ${change.group} with ${change.instead}`;
    case 'count':
      return `at most ${change.atMost} instance${change.atMost === 1 ? '' : 's'}`;
    case 'network':
      return `without network ${change.network}`;
    case 'port':
      return `without port ${change.port}`;
    case 'service-enabled':
      return `nova-compute on ${change.host} enabled`;
    case 'service-up':
      return `nova-compute on ${change.host} up`;
    case 'aggregate-property':
      return change.value === ''
        ? `aggregate ${change.aggregate} without ${change.key}`
        : `aggregate ${change.aggregate} with ${change.key}=${change.value}`;
    case 'aggregate-host':
      return change.mirror === true
        ? `aggregate ${change.aggregate} with ${change.host} in Placement, too`
        : `${change.host} in aggregate ${change.aggregate}`;
    case 'trait':
      return `${change.host} ${change.present ? 'with' : 'without'} trait ${change.trait}`;
    case 'inventory':
      return `${change.field} of ${nameOf(change.resource)} on ${change.host} ${change.to} (is ${change.from})`;
    case 'allocation':
      return `without the stray allocation of ${change.consumer}`;
    case 'discover':
      return `${change.host} mapped to its cell`;
    case 'cell':
      return change.because === 'disabled'
        ? `cell ${change.cell} enabled`
        : `cell ${change.cell === '' ? 'of the host' : change.cell} up`;
    case 'agent':
      return `${change.binary} on ${change.host} alive`;
    case 'mapping':
      return `physical network ${change.physicalNetwork} mapped on ${change.host}`;
    case 'filter':
      return `${change.filter} otherwise configured (${change.because})`;
  }
}

/** Names that commands need and a change does not carry. */
export interface CommandSubject {
  readonly flavor?: string;
  readonly image?: string;
}

const openstack = (...words: readonly string[]): readonly string[] => ['openstack', ...words];

/**
 * The commands that would make a change, in order, each as argv; empty where no single command does: the request is asked anew otherwise, a
 * service is restarted, a configuration edited. A trait is none of them: `resource provider trait set` replaces all that a provider has.
 */
export function commandsFor(change: ScheduleChange, subject: CommandSubject = {}): readonly (readonly string[])[] {
  switch (change.kind) {
    case 'extra-spec': {
      const { flavor } = subject;
      if (flavor === undefined) return [];
      const { key, value, instead } = change;
      const unset =
        value === '' || instead?.key === key ? [] : [openstack('flavor', 'unset', flavor, '--property', key)];
      const set =
        instead === undefined
          ? []
          : [openstack('flavor', 'set', flavor, '--property', `${instead.key}=${instead.value}`)];
      return [...unset, ...set];
    }
    case 'image-property': {
      const { image } = subject;
      if (image === undefined || change.key === 'disk_format') return [];
      return change.instead === undefined
        ? [openstack('image', 'unset', '--property', change.key, image)]
        : [openstack('image', 'set', '--property', `${change.key}=${change.instead}`, image)];
    }
    case 'group':
      return change.instead === undefined
        ? []
        : [openstack('server', 'group', 'create', '--policy', change.instead, `${change.group}-soft`)];
    case 'service-enabled':
      return [openstack('compute', 'service', 'set', '--enable', change.host, 'nova-compute')];
    case 'service-up':
      return [openstack('compute', 'service', 'set', '--up', change.host, 'nova-compute')];
    case 'aggregate-property':
      return [
        change.value === ''
          ? openstack('aggregate', 'unset', '--property', change.key, change.aggregate)
          : openstack('aggregate', 'set', '--property', `${change.key}=${change.value}`, change.aggregate),
      ];
    case 'aggregate-host':
      return [
        change.mirror === true
          ? ['nova-manage', 'placement', 'sync_aggregates']
          : openstack('aggregate', 'add', 'host', change.aggregate, change.host),
      ];
    case 'trait':
      // nova-compute writes this trait itself, whenever its service is switched.
      return change.trait === 'COMPUTE_STATUS_DISABLED'
        ? [
            openstack('compute', 'service', 'set', '--disable', change.host, 'nova-compute'),
            openstack('compute', 'service', 'set', '--enable', change.host, 'nova-compute'),
          ]
        : [];
    case 'inventory':
      return [
        openstack(
          'resource',
          'provider',
          'inventory',
          'set',
          change.provider,
          '--amend',
          '--resource',
          `${change.resource}:${change.field}=${change.to}`,
        ),
      ];
    case 'allocation':
      return [openstack('resource', 'provider', 'allocation', 'delete', change.consumer)];
    case 'discover':
      return [['nova-manage', 'cell_v2', 'discover_hosts', '--by-service', '--verbose']];
    case 'cell':
      return [['nova-manage', 'cell_v2', 'list_cells']];
    case 'resource':
    case 'zone':
    case 'host':
    case 'hint':
    case 'count':
    case 'network':
    case 'port':
    case 'agent':
    case 'mapping':
    case 'filter':
      return [];
  }
}
