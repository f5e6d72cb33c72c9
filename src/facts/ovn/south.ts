import { type FactResult, mapFact, observed } from '../../engine/fact.ts';
import { type OvsdbRow, ovsdbAtom, ovsdbMap } from '../../nodes/parse/ovsdb.ts';
import type { Chassis, SouthView } from '../../path/ovn/model.ts';
import {
  count,
  datapathOf,
  encapOf,
  logicalBfdOf,
  macBindingOf,
  portBindingOf,
  text,
  texts,
  uuidOf,
} from '../../path/ovn/rows.ts';
import { type Store, source } from '../io.ts';
import { servicePorts, servingRouters } from '../port-api.ts';
import { type CloudSubject, type PortSubject, theCloud } from '../subject.ts';
import { type Again, ask, equals, listing, ovnDatabases } from './databases.ts';

/** The registered chassis, and how far the SB has come. */
export interface Chassises {
  readonly chassis: readonly Chassis[];
  readonly nbCfg: number;
  readonly options: ReadonlyMap<string, string>;
  /** Where the SB listens, as its table Connection has it. */
  readonly listeners: readonly { readonly target: string; readonly readOnly: boolean }[];
}

/** Keys of Chassis_Private that Neutron's metadata agent writes its progress under (neutron/common/ovn/constants.py). */
const metadataKeys = ['neutron:ovn-metadata-sb-cfg', 'neutron:metadata-sb-cfg'] as const;

function answeredBy(row: OvsdbRow): Pick<Chassis, 'nbCfg' | 'nbCfgAt' | 'metadataCfg'> {
  const ids = ovsdbMap(row, 'external_ids');
  const metadata = metadataKeys.map((key) => ids.get(key)).find((value) => value !== undefined);
  return {
    nbCfg: count(row, 'nb_cfg'),
    nbCfgAt: count(row, 'nb_cfg_timestamp'),
    ...(metadata === undefined ? {} : { metadataCfg: Number(metadata) }),
  };
}

const southWay = async (facts: Store) => {
  const databases = await facts.get(ovnDatabases, theCloud);
  return databases.ok ? databases.value.value.sb : databases;
};

async function readChassis(facts: Store, again?: Again): Promise<FactResult<Chassises>> {
  const way = await southWay(facts);
  if (!way.ok) return way;
  const answer = await ask(
    facts,
    way.value,
    'sb',
    [
      ['find', 'SB_Global'],
      ['find', 'Chassis'],
      ['find', 'Encap'],
      ['find', 'Chassis_Private'],
      ['find', 'Connection'],
    ],
    again,
  );
  if (!answer.ok) return answer;
  const [globals = [], chassis = [], encaps = [], privates = [], connections = []] = answer.value.value;
  const encapById = new Map(encaps.map((row) => [uuidOf(row), encapOf(row)]));
  const privateByName = new Map(privates.map((row) => [text(row, 'name'), row]));
  const [global] = globals;
  return observed(
    {
      chassis: chassis.map((row): Chassis => {
        const own = privateByName.get(text(row, 'name'));
        const config = ovsdbMap(row, 'other_config');
        return {
          uuid: uuidOf(row),
          name: text(row, 'name'),
          hostname: text(row, 'hostname'),
          encaps: texts(row, 'encaps').flatMap((id) => encapById.get(id) ?? []),
          transportZones: texts(row, 'transport_zones'),
          config: config.size > 0 ? config : ovsdbMap(row, 'external_ids'),
          ...(own === undefined ? {} : answeredBy(own)),
        };
      }),
      nbCfg: global === undefined ? 0 : count(global, 'nb_cfg'),
      options: global === undefined ? new Map() : ovsdbMap(global, 'options'),
      listeners: connections.map((row) => ({
        target: text(row, 'target'),
        readOnly: ovsdbAtom(row, 'read_only') === true,
      })),
    },
    ...answer.value.evidence,
  );
}

/** Every chassis with its tunnel ends: one row per hypervisor of the cloud, nothing per port. */
export const registeredChassis = source<CloudSubject, Chassises>(
  'ovn.chassis',
  () => '',
  (_, facts) => readChassis(facts),
);

/** A second look at the chassis after some seconds, for those that had not answered the last change: they may just have been on it. */
export const chassisAgain = source<CloudSubject, Chassises>(
  'ovn.chassis-again',
  () => '',
  async (subject, facts) => {
    const first = await facts.get(registeredChassis, subject);
    if (!first.ok) return first;
    const { chassis, nbCfg } = first.value.value;
    const late = chassis.some((c) => (c.nbCfg ?? 0) < nbCfg || (c.metadataCfg ?? nbCfg) < nbCfg);
    if (!late) return first;
    // Every list of agents that somebody asks for is a change, too: only what was asked at the first look is due by now.
    return mapFact(await readChassis(facts, { afterSeconds: graceSeconds }), (again) => ({ ...again, nbCfg }));
  },
);

/** A chassis of an idle cloud answers within a tenth of a second, one that computes all its flows anew in some seconds. */
const graceSeconds = 4;

/** What the SB has of the port and all it leans on. It is asked by Neutron's names, so that it speaks where the NB does not. */
export const southView = source<PortSubject, SouthView>(
  'port.ovn.south',
  (subject) => subject.id,
  async (subject, facts) => {
    const [way, around, serving, registered] = await Promise.all([
      southWay(facts),
      facts.get(servicePorts, subject),
      facts.get(servingRouters, subject),
      facts.get(registeredChassis, theCloud),
    ]);
    if (!way.ok) return way;
    if (!registered.ok) return registered;
    const legs = (serving.ok ? serving.value.value : []).flatMap((s) => s.ports);
    const gateways = legs.filter((p) => p.device_owner === 'network:router_gateway').map((p) => `lrp-${p.id}`);
    const names = new Set([
      subject.id,
      ...(around.ok ? around.value.value : []).map((p) => p.id),
      ...legs.flatMap((p) => [p.id, `lrp-${p.id}`, `cr-lrp-${p.id}`]),
    ]);
    const evidence = [...registered.value.evidence];
    const first = await ask(facts, way.value, 'sb', [
      ['find', 'Port_Binding', 'type=localnet'],
      ...gateways.map((name) => ['find', 'BFD', equals('logical_port', name)]),
      ...gateways.map((name) => ['find', 'MAC_Binding', equals('logical_port', name)]),
      ...[...names].map((name) => ['find', 'Port_Binding', equals('logical_port', name)]),
    ]);
    if (!first.ok) return first;
    evidence.push(...first.value.evidence);
    const [localnetRows = [], ...more] = first.value.value;
    const bfd = more.slice(0, gateways.length).flat().map(logicalBfdOf);
    const macBindings = more
      .slice(gateways.length, 2 * gateways.length)
      .flat()
      .map(macBindingOf);
    const own = more
      .slice(2 * gateways.length)
      .flat()
      .map(portBindingOf);
    const datapathIds = new Set(own.map((b) => b.datapath));
    const bindings = [...own, ...localnetRows.map(portBindingOf).filter((b) => datapathIds.has(b.datapath))];
    const second = await ask(facts, way.value, 'sb', listing('Datapath_Binding', [...datapathIds]));
    if (!second.ok) return second;
    evidence.push(...second.value.evidence);
    return observed(
      {
        bindings: new Map(bindings.map((b) => [b.logicalPort, b])),
        datapaths: new Map(
          second.value.value
            .flat()
            .map(datapathOf)
            .map((d) => [d.uuid, d]),
        ),
        ...registered.value.value,
        bfd,
        macBindings,
      },
      ...evidence,
    );
  },
);
