import type { Command } from '../command.ts';
import type { Layout } from './layout.ts';
import { type LayoutName, layouts } from './layouts.ts';

/**
 * What a node shows without root: directories that only one way of installing makes, units, and which container engine
 * is there. Constant text; always succeeds.
 */
const look = `for f in /etc/kolla /var/log/kolla /var/lib/tripleo-config /var/log/containers/neutron /var/log/containers/nova; do
[ -e "$f" ] && echo "path $f"; done
for t in docker podman; do command -v $t >/dev/null 2>&1 && echo "tool $t"; done
systemctl list-units --all --full --plain --no-legend --no-pager 'devstack@*' 'tripleo_*' 'kolla-*' 'neutron-*' 'nova-*' 'openstack-nova-*' 2>/dev/null |
while read -r unit load rest; do echo "unit $unit $load"; done
true`;

export const detectCommand: Command = { argv: ['sh', '-c', look], impact: 'read' };

/** The layout by name; packages where nothing speaks for another. */
export function detectLayoutName(stdout: string): LayoutName {
  const lines = stdout.split('\n').map((line) => line.trim().split(' '));
  const units = lines.filter(([word, , load]) => word === 'unit' && load === 'loaded').map(([, name = '']) => name);
  const has = (word: string, what: string) => lines.some(([first, second]) => first === word && second === what);
  const unit = (prefix: string) => units.some((name) => name.startsWith(prefix));

  if (unit('devstack@')) return 'devstack';
  if (unit('tripleo_')) return 'tripleo';
  if (unit('kolla-')) return has('tool', 'docker') ? 'kolla' : 'kolla-podman';
  // A deployment host may have /etc/kolla and packaged services of its own: units that are loaded decide.
  if (unit('neutron-') || unit('nova-') || unit('openstack-nova-')) return 'systemd';
  const engine = has('tool', 'docker') || has('tool', 'podman');
  if (engine && (has('path', '/etc/kolla') || has('path', '/var/log/kolla'))) {
    return has('tool', 'docker') ? 'kolla' : 'kolla-podman';
  }
  const tripleo = ['/var/lib/tripleo-config', '/var/log/containers/neutron', '/var/log/containers/nova'];
  if (has('tool', 'podman') && tripleo.some((path) => has('path', path))) return 'tripleo';
  return 'systemd';
}

export const detectLayout = (stdout: string): Layout => layouts[detectLayoutName(stdout)];
