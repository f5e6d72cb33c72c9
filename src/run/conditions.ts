import type { InstanceSubject, PortSubject } from '../facts/subject.ts';

/** Conditions a playbook may name. Each answers why it does not hold, or undefined when it does. */
type Condition = (instance: InstanceSubject | undefined, port: PortSubject | undefined) => string | undefined;

export const conditions: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  [
    'placed',
    (instance) =>
      instance === undefined || instance.server.value['OS-EXT-SRV-ATTR:host']
        ? undefined
        : instance.server.value.status === 'ACTIVE'
          ? 'its host is hidden from these credentials'
          : 'it has no host yet',
  ],
  [
    'running',
    (instance) =>
      instance === undefined || instance.server.value.status === 'ACTIVE'
        ? undefined
        : `it is ${instance.server.value.status}`,
  ],
  [
    'bound',
    (_, port) =>
      port?.port.value['binding:vif_type'] === 'binding_failed' || port?.port.value['binding:vif_type'] === 'unbound'
        ? 'its port is not bound'
        : undefined,
  ],
]);
