import ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH private key file. */
  readonly private: string;
  /** `ssh-ed25519 AAAA…` */
  readonly public: string;
}

/**
 * A fresh ed25519 key pair. About one in three hundred keys that ssh2 1.17 makes is one byte short and cannot be read
 * back ("Malformed OpenSSH private key"), so each is read back before it is used.
 */
export function newKeyPair(): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) {
      return { private: pair.private, public: pair.public.trim().split(' ').slice(0, 2).join(' ') };
    }
  }
}
