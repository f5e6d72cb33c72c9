import { hostIsHidden, type InstanceSubject, type PortSubject } from '../facts/subject.ts';

/** Conditions a playbook may name. Each answers why it does not hold, or undefined when it does. */
type Condition = (instance: InstanceSubject | undefined, port: PortSubject | undefined) => string | undefined;

export const conditions: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  [
    'placed',
    // A host that is hidden is one: what needs it says that it could not look.
    (instance) =>
      instance === undefined || instance.server.value['OS-EXT-SRV-ATTR:host'] || hostIsHidden(instance)
        ? undefined
        : instance.server.value.status === 'UNKNOWN'
          ? 'its cell does not answer, so that Nova names no host'
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

/** Whether packets can be followed to a port at all: to an instance that is off nothing is sent. */
export const isTraceable = (port: PortSubject): boolean =>
  ['placed', 'running', 'bound'].every((name) => conditions.get(name)?.(port.instance, port) === undefined);
