import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { opensshPrivateKey, publicBlob } from './openssh-private-key.js';

export interface SshKeyPair {
  /** One line of an `authorized_keys` file. */
  readonly publicKey: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
}

/** Not by ssh2: it takes 30 ms to load, which a start would wait for, and one in 250 of its pairs loses a leading zero. */
export function generateKeyPair(comment: string): SshKeyPair {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  return {
    publicKey: `ssh-ed25519 ${publicBlob(point).toString('base64')} ${comment}`,
    privateKey: opensshPrivateKey({ seed, point, comment, check: randomBytes(4) }),
  };
}
