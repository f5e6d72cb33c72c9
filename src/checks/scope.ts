import type { Scope } from '../engine/finding.ts';
import { computeHostOf, type InstanceSubject, type PortSubject, shortId } from '../facts/subject.ts';
import { isTypeable, quoteArg } from '../nodes/quote.ts';

type More = { readonly [K in 'host' | 'agent' | 'router' | 'link']?: readonly string[] };

/** The relations every finding about a port shares: its port, network and instance, and what else is named. */
export const portScope = (subject: PortSubject, more: More = {}): Scope => ({
  port: [subject.id],
  network: [subject.port.value.network_id],
  ...(subject.instance === undefined ? {} : { instance: [subject.instance.id] }),
  host: more.host ?? hostsOf(subject),
  ...(more.agent === undefined ? {} : { agent: more.agent }),
  ...(more.router === undefined ? {} : { router: more.router }),
  ...(more.link === undefined ? {} : { link: more.link }),
});

const hostsOf = (subject: PortSubject): readonly string[] => {
  const host = computeHostOf(subject);
  return host === undefined ? [] : [host];
};

export const instanceScope = (subject: InstanceSubject): Scope => {
  const host = subject.server.value['OS-EXT-SRV-ATTR:host'];
  return { instance: [subject.id], ...(host ? { host: [host] } : {}) };
};

/** How a person calls the thing the port belongs to. */
export const ownerName = (subject: PortSubject): string => subject.instance?.name ?? `port ${shortId(subject.id)}`;

/** An agent, as subjects and relations name it. */
export const agentName = (binary: string, host: string): string => `${binary}@${host}`;

/** Two hosts joined by a tunnel, whichever way round. */
export const linkName = (a: string, b: string): string => [a, b].sort().join(' ⇄ ');

/**
 * An instance as an argument of a command line to paste: its name as one shell word, or its id where the name cannot be
 * typed. Whoever names an instance must not thereby write commands for the operator.
 */
export const typed = (instance: Pick<InstanceSubject, 'name' | 'id'>): string =>
  isTypeable(instance.name) ? quoteArg(instance.name) : instance.id;

/** The command that proves a mend. */
export const verifyWith = (verb: string, subject: PortSubject | InstanceSubject): string => {
  const instance = subject.kind === 'instance' ? subject : subject.instance;
  return `ostk-doctor ${verb} ${instance === undefined ? subject.id : typed(instance)}`;
};
