import { z } from 'zod';

/** https://docs.openstack.org/api-ref/compute/: only what we read; unknown fields pass, absent ones that policy hides are optional. */
export const address = z.looseObject({
  addr: z.string(),
  version: z.number(),
  'OS-EXT-IPS:type': z.string().optional(),
  'OS-EXT-IPS-MAC:mac_addr': z.string().optional(),
});

const serverFields = z.looseObject({
  id: z.string(),
  /** Absent of an instance in a cell that does not answer. */
  name: z.string().optional(),
  status: z.string(),
  tenant_id: z.string().optional(),
  user_id: z.string().optional(),
  addresses: z.record(z.string(), z.array(address)).optional(),
  image: z
    .union([
      z.looseObject({ id: z.string(), properties: z.record(z.string(), z.unknown()).optional() }),
      z.string(),
      z.null(),
    ])
    .optional(),
  flavor: z
    .looseObject({
      original_name: z.string().optional(),
      ram: z.number().optional(),
      vcpus: z.number().optional(),
      disk: z.number().optional(),
      ephemeral: z.number().optional(),
      swap: z.number().optional(),
      extra_specs: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  fault: z.looseObject({ message: z.string(), code: z.number().optional(), created: z.string().optional() }).optional(),
  created: z.string().optional(),
  updated: z.string().optional(),
  config_drive: z.string().optional(),
  host_status: z.string().optional(),
  'OS-EXT-SRV-ATTR:host': z.string().nullish(),
  'OS-EXT-SRV-ATTR:hypervisor_hostname': z.string().nullish(),
  'OS-EXT-SRV-ATTR:instance_name': z.string().nullish(),
  /** Of its host, once it has one; until then what was asked for. */
  'OS-EXT-AZ:availability_zone': z.string().nullish(),
  /** What was asked for, since 2.96. */
  pinned_availability_zone: z.string().nullish(),
  /** GET of one instance only, since 2.71. */
  server_groups: z.array(z.string()).optional(),
  /** Since 2.100. */
  scheduler_hints: z.record(z.string(), z.unknown()).nullish(),
  'OS-EXT-STS:task_state': z.string().nullish(),
  'OS-EXT-STS:vm_state': z.string().nullish(),
  'OS-EXT-STS:power_state': z.number().nullish(),
  'os-extended-volumes:volumes_attached': z.array(z.looseObject({ id: z.string() })).optional(),
});

/** Of an instance in a cell that does not answer, Nova tells no name, and status UNKNOWN (2.69): its id stands for it. */
export const server = serverFields.transform((s) => ({ ...s, name: s.name ?? s.id }));
export type Server = z.infer<typeof server>;

export const serverAnswer = z.looseObject({ server });

export const service = z.looseObject({
  /** Of a service in a cell that does not answer, Nova tells binary and host only, and status UNKNOWN (2.69). */
  id: z.union([z.string(), z.number()]).default(''),
  binary: z.string(),
  host: z.string(),
  state: z.string().default('unknown'),
  status: z.string(),
  disabled_reason: z.string().nullish(),
  forced_down: z.boolean().optional(),
  updated_at: z.string().nullish(),
  zone: z.string().optional(),
});
export type ComputeService = z.infer<typeof service>;

export const image = z.looseObject({ id: z.string(), name: z.string().nullish(), status: z.string() });
export type Image = z.infer<typeof image>;

/** libvirt's view as Nova maps it (nova/objects/fields.py InstancePowerState). */
export const powerStates: Readonly<Record<number, string>> = {
  0: 'no state',
  1: 'running',
  3: 'paused',
  4: 'shut down',
  6: 'crashed',
  7: 'suspended',
};
