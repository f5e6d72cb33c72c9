import { describe, expect, it } from 'vitest';
import { sshSettings } from '../../src/run/ssh-settings.ts';

const none = { backend: undefined, user: undefined, acceptNewHostKeys: undefined };

describe('how nodes are reached', () => {
  it('is what the configuration says, with the home directory spelled out', () => {
    const config = {
      user: 'ops',
      connectTimeout: 3,
      configFile: '~/lab/ssh_config',
      knownHosts: '/etc/lab/known_hosts',
    };
    expect(sshSettings(config, none, '/home/me')).toMatchObject({
      user: 'ops',
      connectTimeoutSeconds: 3,
      configFile: '/home/me/lab/ssh_config',
      knownHosts: '/etc/lab/known_hosts',
    });
  });

  it('is what the flags say first', () => {
    const flags = { backend: 'openssh', user: 'root', acceptNewHostKeys: true } as const;
    const config = { backend: 'ssh2', user: 'ops', acceptNewHostKeys: false } as const;
    expect(sshSettings(config, flags, '/home/me')).toMatchObject(flags);
    expect(sshSettings(undefined, flags, '/home/me')).toMatchObject(flags);
  });
});
