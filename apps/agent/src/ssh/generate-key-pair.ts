import ssh2 from 'ssh2';

/** ssh2 drops the leading zeros of a key, which makes one pair in 400 useless. */
export function generateKeyPair(): { readonly public: string; readonly private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if ([pair.public, pair.private].every((text) => !(ssh2.utils.parseKey(text) instanceof Error))) return pair;
  }
}
