import type { Backend, BoundPort } from './backend.ts';
import { linuxbridge } from './linuxbridge.ts';
import { ovn } from './ovn.ts';
import { ovs, ovsHybrid } from './ovs.ts';
import { routed } from './routed.ts';

/** Every backend the doctor knows; adding one adds a file and a line here. */
export const backends: readonly Backend[] = [linuxbridge, ovsHybrid, ovs, ovn, routed];

/** The backend that bound this port, or undefined when neither its binding nor its host's agents tell. */
export const backendOf = (port: BoundPort, l2Binaries: readonly string[]): Backend | undefined =>
  backends.find((backend) => backend.recognises(port, l2Binaries));
