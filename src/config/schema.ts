import { boolean, type infer as Infer, int, number, enum as oneOf, record, strictObject, string } from 'zod';
import { layoutNames } from '../nodes/layouts/layouts.ts';

/** Values that end up as words of an ssh command line: never an option, never more than a word. */
const word = (pattern: RegExp, what: string) => string().regex(pattern, `not ${what}`);
const hostName = word(/^[A-Za-z0-9_][A-Za-z0-9_.:%-]*$/, 'a host name or address');
const userName = word(/^[A-Za-z0-9_.][A-Za-z0-9_.@\\$-]*$/, 'a user name');
const jump = word(
  /^[A-Za-z0-9_.[][A-Za-z0-9_.@:%[\]-]*(?:,[A-Za-z0-9_.[][A-Za-z0-9_.@:%[\]-]*)*$/,
  'a list of jump hosts such as ops@bastion:22,second',
);
const path = word(/^[^-\0\n][^\0\n]*$/, 'a path');
const port = int().min(1).max(65535);
const seconds = number().positive().max(600);

const host = strictObject({
  /** Where to connect to, when the API's name of the host does not say. */
  address: hostName.optional(),
  user: userName.optional(),
  port: port.optional(),
  identityFile: path.optional(),
  jump: jump.optional(),
  /** How services look there, when detection is wrong. */
  layout: oneOf(layoutNames).optional(),
  /** The doctor runs on this host. */
  local: boolean().optional(),
});

export const configSchema = strictObject({
  ssh: strictObject({
    backend: oneOf(['auto', 'ssh2', 'openssh']).optional(),
    user: userName.optional(),
    port: port.optional(),
    identityFile: path.optional(),
    jump: jump.optional(),
    /** Seconds for the TCP connection, and again for the handshake. */
    connectTimeout: seconds.optional(),
    acceptNewHostKeys: boolean().optional(),
    /**
     * An ssh_config(5) to read instead of ~/.ssh/config and the system's, as `ssh -F` does. It may name programs that
     * ssh runs, so an ostk-doctor.yaml that merely lies in the current directory may not set it.
     */
    configFile: path.optional(),
    /** Takes the place of the user's known_hosts: host keys are looked up there, and new ones are added there. */
    knownHosts: path.optional(),
  }).optional(),
  /** By the name the API gives a host. */
  hosts: record(string().min(1), host).optional(),
});

export type Config = Infer<typeof configSchema>;
export type HostConfig = Infer<typeof host>;
