import type { Observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import type { Server } from './schemas/compute.ts';
import type { Port } from './schemas/network.ts';

/** What is diagnosed, as it was resolved from what the operator typed. */
export interface InstanceSubject {
  readonly kind: 'instance';
  readonly id: string;
  readonly name: string;
  readonly server: Observed<Server>;
  /** Its ports, when resolving the target already had to list them. */
  readonly ports?: Observed<readonly Port[]>;
}

/** A port of the instance, or a port by itself (no instance behind it). */
export interface PortSubject {
  readonly kind: 'port';
  readonly id: string;
  readonly port: Observed<Port>;
  readonly instance?: InstanceSubject;
}

export interface CloudSubject {
  readonly kind: 'cloud';
}

export const theCloud: CloudSubject = { kind: 'cloud' };

export const shortId = (id: string): string => id.slice(0, 8);

/** The host the API says this port's instance is on: Nova's word first, then the binding's. */
export const computeHostOf = (subject: PortSubject): string | undefined =>
  subject.instance?.server.value['OS-EXT-SRV-ATTR:host'] ?? (subject.port.value['binding:host_id'] || undefined);

/** Nova shows an ordinary project neither the host nor the key of it; to an admin the host of an unplaced instance is null. */
export const hostIsHidden = (instance: InstanceSubject): boolean =>
  instance.server.value['OS-EXT-SRV-ATTR:host'] === undefined && instance.server.value.status === 'ACTIVE';

/** Why no host can be looked at: it is hidden, or there is none. */
export const withoutHost = (instance: InstanceSubject | undefined): FactFailure =>
  instance !== undefined && hostIsHidden(instance)
    ? {
        kind: 'forbidden',
        what: 'the hosts of the instance and of its ports',
        need: 'role admin, or policies that grant os_compute_api:os-extended-server-attributes and get_port:binding:host_id',
      }
    : {
        kind: 'unsupported',
        because:
          instance?.server.value.status === 'UNKNOWN'
            ? 'the API names no host for it: its cell does not answer'
            : 'the API names no host for it: it is not placed',
      };
