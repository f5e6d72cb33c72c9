import type { FindingSpec } from '../../engine/finding.ts';

export const serviceSilent: FindingSpec = {
  code: 'OSD-CLOUD-001',
  severity: 'error',
  nature: 'cause',
  title: 'An OpenStack service does not answer',
  meaning: 'The catalog names an endpoint that could not be reached or answered with an error.',
  evidence: 'One GET of the version document of the service, at the endpoint of the chosen interface and region.',
  mend: 'Start the service or its proxy, or correct the endpoint in the catalog. Until then the facts it would give are missing.',
  explains: [],
  refs: ['https://docs.openstack.org/keystone/latest/admin/manage-services.html'],
};

export const serviceSlow: FindingSpec = {
  code: 'OSD-CLOUD-002',
  severity: 'warning',
  nature: 'symptom',
  title: 'An OpenStack service answers slowly',
  meaning: 'The version document, which needs no database, took longer than ten seconds.',
  evidence: 'The time of one GET, connection included.',
  mend: 'Look at the load of the API host, its workers and its proxy.',
  explains: [],
  refs: [],
};
