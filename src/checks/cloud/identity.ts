import { defineCheck, passed } from '../../engine/check.ts';
import { identity } from '../../facts/cloud-api.ts';
import type { Io } from '../../facts/io.ts';
import type { CloudSubject } from '../../facts/subject.ts';

const needs = { identity };

export default defineCheck<Io, CloudSubject, typeof needs>({
  id: 'cloud.identity',
  per: 'cloud',
  title: 'The credentials are accepted',
  needs,
  findings: [],
  judge: ({ facts }) => {
    const who = facts.identity.value;
    const where = who.project === undefined ? `${who.scope} scope` : `project ${who.project.name}`;
    const rights = who.isAdmin
      ? ''
      : `; not an admin (roles: ${who.roles.join(', ') || 'none'}), hosts and agents may be hidden`;
    return passed(`${who.user.name} in ${where}${rights}`, facts.identity.evidence);
  },
});
