import { defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Io } from '../../facts/io.ts';
import { bindingInterfaces } from '../../facts/ovn/interfaces.ts';
import { logicalView } from '../../facts/ovn/logical.ts';
import { southView } from '../../facts/ovn/south.ts';
import { portSubnets } from '../../facts/port-api.ts';
import { computeHostOf, type PortSubject, shortId } from '../../facts/subject.ts';
import { deviceName } from '../../path/addresses.ts';
import { compareBinding, compareClaimants, compareInterface, comparePort } from '../../path/ovn/compare-port.ts';
import type { Difference } from '../../path/ovn/difference.ts';
import { interfaceTwice, interfaceWrong, notBound, notCarriedOver, portDiffers, portMissing } from './codes-ordered.ts';
import { databasesOf, findingsOf, portName } from './judge-differences.ts';

const needs = { logical: logicalView };
const optional = { south: southView, subnets: portSubnets, interfaces: bindingInterfaces, databases: databasesOf };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.port',
  per: 'port',
  title: 'OVN has the port as Neutron ordered it, and its host has bound it',
  families: ['ovn'],
  needs,
  optional,
  findings: [portMissing, portDiffers, notCarriedOver, notBound, interfaceWrong, interfaceTwice],
  judge: ({ subject, facts, maybe }) => {
    const port = subject.port.value;
    const name = portName(subject);
    // An instance that is off has no device, and nobody binds its port.
    const isOn = subject.instance === undefined || subject.instance.server.value.status === 'ACTIVE';
    const isBound = port['binding:vif_type'] !== 'binding_failed' && port['binding:vif_type'] !== 'unbound';
    const host = isOn && isBound ? computeHostOf(subject) : undefined;
    const view = facts.logical.value;
    const differences: Difference[] = [
      ...comparePort(port, name, maybe.subnets.ok ? maybe.subnets.value.value : [], view),
    ];
    const evidence: Evidence[] = [...facts.logical.evidence];
    if (maybe.south.ok) {
      evidence.push(...maybe.south.value.evidence);
      differences.push(...compareBinding(port, name, host, view, maybe.south.value.value));
    }
    const looked = maybe.interfaces.ok ? maybe.interfaces.value.value : [];
    const seen = looked.flatMap(({ host: at, interfaces }) =>
      interfaces.ok ? [{ at, interfaces: interfaces.value.value, evidence: interfaces.value.evidence }] : [],
    );
    const local: Evidence[] = [];
    if (view.port?.parentName === undefined) {
      const own = seen.find((s) => s.at === host);
      if (own !== undefined && host !== undefined) {
        local.push(...own.evidence);
        differences.push(...compareInterface(port, name, host, deviceName('tap', port.id), own.interfaces));
      }
      differences.push(...compareClaimants(port, name, host, seen));
      for (const s of seen) if (s !== own) local.push(...s.evidence);
    }
    const [of, on] = [
      differences.filter((d) => d.layer !== 'chassis'),
      differences.filter((d) => d.layer === 'chassis'),
    ];
    return judged(
      [
        ...findingsOf(subject, of, evidence, maybe.databases, 'port'),
        ...findingsOf(subject, on, local, maybe.databases, 'port'),
      ],
      `${shortId(port.id)} as ordered${maybe.south.ok ? `, bound on ${host ?? 'no host'}` : ''}`,
      evidence,
      ['logical switch port and its binding'],
    );
  },
});
