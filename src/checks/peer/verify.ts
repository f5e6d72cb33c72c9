import type { PortSubject } from '../../facts/subject.ts';
import { isTypeable, quoteArg } from '../../nodes/quote.ts';
import { verifyWith } from '../scope.ts';

/** The command that proves a mend between the two; `to` is what the peer is called, a name that somebody chose. */
export const verifyPair = (subject: PortSubject, to: string): string =>
  `${verifyWith('net', subject)} --to ${quoteArg(to)}`;

/** The name of the peer where it can be typed, else the id of its port. */
export const typeable = (name: string, portId: string): string => (isTypeable(name) ? name : portId);
