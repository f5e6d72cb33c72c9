import { readFile } from 'node:fs/promises';
import type { ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
import { unreachable } from './exchange.ts';
import type { NodeFailure } from './nodes.ts';
import { readIdentities } from './ssh-keys.ts';
import type { SshTarget } from './ssh-target.ts';

/** As a person names it. */
export const address = (target: SshTarget): string =>
  `${target.user}@${target.hostname}${target.port === 22 ? '' : `:${target.port}`}`;

/** What we can log in with, in ssh's order: keys of the agent, then files that need no passphrase. */
export async function credentials(target: SshTarget) {
  const { utils, BaseAgent, OpenSSHAgent } = await import('ssh2').then((module) => module.default ?? module);
  const identities = await readIdentities(target);
  const keys: { path: string; key: ParsedKey }[] = [];
  const unusable: string[] = [];
  for (const { path, text, kind } of identities) {
    const key = kind === 'open' ? utils.parseKey(text) : undefined;
    if (key === undefined || key instanceof Error || Array.isArray(key))
      unusable.push(
        `${path} (${kind === 'open' ? 'not readable' : kind === 'sk' ? 'a security key' : 'has a passphrase'})`,
      );
    else keys.push({ path, key });
  }
  if (target.agent === undefined) return { keys, unusable, agent: undefined };

  const socket = new OpenSSHAgent(target.agent);
  const offered = await new Promise<readonly ParsedKey[]>((resolve) => {
    socket.getIdentities((error, list) =>
      resolve(error ? [] : (list ?? []).filter((key) => typeof key === 'object' && 'getPublicSSH' in key)),
    );
  });
  const configured = new Set<string>();
  for (const path of target.identityFiles) {
    const known = identities.find((identity) => identity.path === path);
    const open = keys.find((k) => k.path === path);
    if (open !== undefined) configured.add(open.key.getPublicSSH().toString('base64'));
    else if (known !== undefined || target.identitiesOnly) {
      const text = await readFile(`${path}.pub`, 'utf8').catch(() => '');
      const word = text.split(' ')[1];
      if (word !== undefined) configured.add(word);
    }
  }
  const isConfigured = (key: ParsedKey) => configured.has(key.getPublicSSH().toString('base64'));
  const chosen = [
    ...offered.filter(isConfigured),
    ...(target.identitiesOnly ? [] : offered.filter((key) => !isConfigured(key))),
  ];
  if (chosen.length === 0) return { keys, unusable, agent: undefined };

  class ChosenKeys extends BaseAgent<ParsedKey> {
    override getIdentities(callback: (error: Error | undefined, keys?: ParsedKey[]) => void) {
      callback(undefined, chosen);
    }
    override sign(
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      callback?: SignCallback,
    ) {
      if (typeof options === 'function') socket.sign(key, data, options);
      else socket.sign(key, data, options, callback);
    }
  }
  const inAgent = new Set(chosen.map((key) => key.getPublicSSH().toString('base64')));
  return {
    keys: keys.filter(({ key }) => !inAgent.has(key.getPublicSSH().toString('base64'))),
    unusable,
    agent: new ChosenKeys(),
  };
}

/** Why a login failed, and the one thing that would most likely mend it. */
export function authFailure(
  host: string,
  target: SshTarget,
  tried: readonly string[],
  unusable: readonly string[],
): NodeFailure {
  const who = address(target);
  const encrypted = unusable.find((text) => text.endsWith('(has a passphrase)'));
  if (encrypted !== undefined) {
    const path = encrypted.slice(0, encrypted.lastIndexOf(' (has'));
    return unreachable(
      host,
      'auth',
      `${who} accepts none of our keys; ${encrypted.slice(0, -1)} and is not in the agent)`,
      `ssh-add ${path}`,
    );
  }
  const detail = tried.length === 0 ? `there is no key to show to ${who}` : `${who} refused ${tried.join(', ')}`;
  return unreachable(
    host,
    'auth',
    detail,
    tried.length === 0
      ? `ssh-keygen, then: ssh-copy-id ${who}`
      : `ssh-copy-id ${who}, or name the user: --user, hosts: {${host}: {user: …}}`,
  );
}
