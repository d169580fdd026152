import ssh2 from 'ssh2';

export interface SshKeyPair {
  /** One line of an `authorized_keys` file. */
  readonly publicKey: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
}

export function generateKeyPair(comment: string): SshKeyPair {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  return { publicKey: pair.public, privateKey: pair.private };
}
