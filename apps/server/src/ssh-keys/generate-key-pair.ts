import ssh2 from 'ssh2';

export interface SshKeyPair {
  /** One line of an `authorized_keys` file. */
  readonly publicKey: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
}

export function generateKeyPair(comment: string): SshKeyPair {
  // One in 250 of ssh2's ed25519 pairs is malformed: it loses a leading zero byte.
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (isKey(pair.private) && isKey(pair.public)) return { publicKey: pair.public, privateKey: pair.private };
  }
}

function isKey(text: string): boolean {
  return !(ssh2.utils.parseKey(text) instanceof Error);
}
