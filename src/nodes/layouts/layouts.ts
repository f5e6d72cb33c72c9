import { devstackLayout } from './devstack.ts';
import { kollaLayout } from './kolla.ts';
import type { Layout } from './layout.ts';
import { systemdLayout } from './systemd.ts';
import { tripleoLayout } from './tripleo.ts';

/** Names by which an operator may state a layout; Kolla's differs by the engine under it. */
export const layoutNames = ['systemd', 'kolla', 'kolla-podman', 'tripleo', 'devstack'] as const;
export type LayoutName = (typeof layoutNames)[number];

export const layouts: Readonly<Record<LayoutName, Layout>> = {
  systemd: systemdLayout,
  kolla: kollaLayout('docker'),
  'kolla-podman': kollaLayout('podman'),
  tripleo: tripleoLayout,
  devstack: devstackLayout,
};
