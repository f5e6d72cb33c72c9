/** What an operator may complain about. Closed: the playbook says for each which steps and codes matter to it. */
export const symptomTitles = {
  'no-boot': 'it does not boot',
  'no-lease': 'it gets no address by DHCP',
  'no-metadata': 'it gets no metadata',
  'no-names': 'it cannot resolve names',
  'no-way-out': 'it cannot reach the outside',
  'no-way-in': 'it cannot be reached from the outside',
  'ssh-refused': 'SSH is refused or gets no answer',
  'one-peer': 'one peer alone cannot be reached',
  slow: 'it answers slowly, or loses packets',
  'large-packets': 'small packets pass and large ones do not',
} as const;

export type Symptom = keyof typeof symptomTitles;

export const isSymptom = (text: string): text is Symptom => Object.hasOwn(symptomTitles, text);

export const symptoms: readonly Symptom[] = Object.keys(symptomTitles).filter(isSymptom);
