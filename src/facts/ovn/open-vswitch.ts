import { err, ok } from '../../engine/result.ts';
import { ovsdbAtom, ovsdbMap, parseOvsdbTable } from '../../nodes/parse/ovsdb.ts';
import { hostLayout } from '../host.ts';
import { read, source } from '../io.ts';

/** The row of Open_vSwitch: what the node itself is told (ovn-controller(8), CONFIGURATION). */
export interface OpenVswitch {
  readonly externalIds: ReadonlyMap<string, string>;
  readonly otherConfig: ReadonlyMap<string, string>;
  readonly version: string | undefined;
}

export const openVswitch = source<string, OpenVswitch>(
  'ovn.open-vswitch',
  (host) => host,
  async (host, facts) => {
    const layout = await facts.get(hostLayout, host);
    if (!layout.ok) return layout;
    const [first = 'ovs-vsctl', ...rest] = [...layout.value.value.within('ovsdb-server'), 'ovs-vsctl'];
    return read(
      facts,
      host,
      { argv: [first, ...rest, '--timeout=5', '--format=json', 'list', 'Open_vSwitch'], impact: 'read', become: true },
      (stdout) => {
        const rows = parseOvsdbTable('ovs-vsctl list Open_vSwitch', stdout);
        if (!rows.ok) return rows;
        const [row] = rows.value;
        if (row === undefined) return err({ kind: 'parse', what: 'ovs-vsctl list Open_vSwitch', line: 'no row' });
        const version = ovsdbAtom(row, 'ovs_version');
        return ok({
          externalIds: ovsdbMap(row, 'external_ids'),
          otherConfig: ovsdbMap(row, 'other_config'),
          version: version === undefined ? undefined : String(version),
        });
      },
    );
  },
);
