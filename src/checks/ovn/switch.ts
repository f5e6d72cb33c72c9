import { defineCheck, judged } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { logicalExtras } from '../../facts/ovn/extras.ts';
import { logicalView } from '../../facts/ovn/logical.ts';
import { southView } from '../../facts/ovn/south.ts';
import { portNetwork } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { compareQos } from '../../path/ovn/compare-extras.ts';
import { compareSwitch } from '../../path/ovn/compare-switch.ts';
import { aclStranger, localnetDiffers, notCarriedOver, switchDiffers, switchStranger } from './codes-ordered.ts';
import { databasesOf, findingsOf, portName } from './judge-differences.ts';

const needs = { logical: logicalView, network: portNetwork };
const optional = { south: southView, extras: logicalExtras, databases: databasesOf };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.switch',
  per: 'port',
  title: 'The logical switch of its network is as Neutron ordered it',
  families: ['ovn'],
  needs,
  optional,
  findings: [switchDiffers, localnetDiffers, switchStranger, aclStranger, notCarriedOver],
  judge: ({ subject, facts, maybe }) => {
    const port = subject.port.value;
    const view = facts.logical.value;
    const network = facts.network.value;
    const name = portName(subject);
    const evidence = [
      ...facts.logical.evidence,
      ...(maybe.south.ok ? maybe.south.value.evidence : []),
      ...(maybe.extras.ok ? maybe.extras.value.evidence : []),
    ];
    const groups = view.portGroups.map((g) => g.name);
    const differences = [
      ...compareSwitch(port, name, network, view, maybe.south.ok ? maybe.south.value.value : undefined),
      ...(maybe.extras.ok ? compareQos(port, name, network, groups, maybe.extras.value.value) : []),
    ];
    return judged(
      findingsOf(subject, differences, evidence, maybe.databases, 'port'),
      `${network.name}: ${view.lswitch?.ports.length ?? 0} ports`,
      evidence,
      ['logical switch'],
    );
  },
});
