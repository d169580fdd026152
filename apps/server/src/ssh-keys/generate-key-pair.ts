import ssh2 from 'ssh2';

export interface SshKeyPair {
  /** One line of an `authorized_keys` file. */
  readonly publicKey: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
}

/** ssh2 drops the leading zeros of a key, which makes one pair in 400 useless. */
export function generateKeyPair(
  comment: string,
  generate = (): { readonly public: string; readonly private: string } =>
    ssh2.utils.generateKeyPairSync('ed25519', { comment }),
): SshKeyPair {
  for (;;) {
    const pair = generate();
    if (isKey(pair.public) && isKey(pair.private)) return { publicKey: pair.public, privateKey: pair.private };
  }
}

function isKey(text: string): boolean {
  return !(ssh2.utils.parseKey(text) instanceof Error);
}
