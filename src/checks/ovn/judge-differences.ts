import type { Evidence } from '../../engine/evidence.ts';
import type { FactResult } from '../../engine/fact.ts';
import type { Finding, Remedy, RemedyStep } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import { showing, source } from '../../facts/io.ts';
import { type OvnDatabases, ovnDatabases } from '../../facts/ovn/databases.ts';
import { type PortSubject, shortId, theCloud } from '../../facts/subject.ts';
import { argvOf, type Difference, type Mend } from '../../path/ovn/difference.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { specOf } from './codes-ordered.ts';

/** How the databases are reached, asked through a port: remedies are typed there. */
export const databasesOf = source<PortSubject, OvnDatabases>(
  'port.ovn.databases',
  (subject) => subject.id,
  (_, facts) => facts.get(ovnDatabases, theCloud),
);

/** `web-1's port 608a92c3` */
export const portName = (subject: PortSubject): string =>
  subject.instance === undefined ? ownerName(subject) : `${ownerName(subject)}'s port ${shortId(subject.id)}`;

/** Where commands of OVN's tools are typed: as the databases were reached; writing needs the leader of a cluster. */
export function ovnStep(
  databases: FactResult<OvnDatabases>,
  tool: 'ovn-nbctl' | 'ovn-sbctl',
  argv: readonly string[],
): RemedyStep {
  const way = databases.ok ? databases.value.value[tool === 'ovn-nbctl' ? 'nb' : 'sb'] : undefined;
  if (way?.ok !== true) return { ...byOperator(argvOf([tool, ...argv])), note: 'where the database is' };
  const { host, within, options } = way.value;
  return onHost(host, argvOf([...within, tool, ...options, ...argv]));
}

const syncing: Remedy = {
  title: "let Neutron's whole state be written again; look at what it would change first (mode log)",
  risk: 'disruptive',
  sufficient: true,
  steps: [
    advice(
      'neutron-ovn-db-sync-util --config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/ml2_conf.ini --ovn-neutron_sync_mode repair, where neutron-server runs',
    ),
  ],
};

export function remedyOf(mend: Mend, databases: FactResult<OvnDatabases>): Remedy {
  switch (mend.by) {
    case 'sync':
      return syncing;
    case 'openstack':
      return {
        title: mend.title,
        risk: 'reversible',
        sufficient: true,
        steps: mend.commands.map((argv) => byOperator(argv)),
      };
    case 'chassis':
      return {
        title: mend.title,
        risk: 'reversible',
        sufficient: mend.guessed !== true,
        steps: [onHost(mend.host, mend.argv)],
      };
    case 'ovn-nbctl':
    case 'ovn-sbctl':
      return {
        title: mend.title,
        risk: 'reversible',
        sufficient: mend.remains === undefined,
        steps: [ovnStep(databases, mend.by, mend.argv), ...(mend.remains === undefined ? [] : [advice(mend.remains)])],
      };
  }
}

/** The observation that shows a table: the call that listed it, else the first. */
export function evidenceOf(table: string, evidence: readonly Evidence[]): Evidence {
  const [first] = evidence;
  if (first === undefined) throw new Error('rows without evidence');
  return evidence.find((e) => e.source.kind === 'command' && e.source.argv.includes(table)) ?? first;
}

/** Differences between layers as findings. `verb` proves the mend. */
export const findingsOf = (
  subject: PortSubject,
  differences: readonly Difference[],
  evidence: readonly Evidence[],
  databases: FactResult<OvnDatabases>,
  verb: string,
): readonly Finding[] =>
  differences.map((d) =>
    findingOf(specOf[d.kind], {
      summary: d.summary,
      subject: d.object,
      scope: portScope(subject, {
        ...(d.host === undefined ? {} : { host: [d.host] }),
        ...(d.router === undefined ? {} : { router: [d.router] }),
      }),
      evidence: [showing(evidenceOf(d.table, evidence), [`found: ${d.found}`, `ordered: ${d.ordered}`])],
      remedies: d.mends.map((mend) => remedyOf(mend, databases)),
      verify: verifyWith(verb, subject),
      ...(d.severity === undefined ? {} : { severity: d.severity }),
      ...(d.confidence === undefined ? {} : { confidence: d.confidence }),
    }),
  );
