import ssh2 from 'ssh2';
import { SshError } from './ssh-failure.js';

/** @throws {SshError} `bad-key` when one is encrypted or of an unknown kind; its text is never part of the message. */
export function checkPrivateKeys(keys: readonly string[], where: string): void {
  if (keys.length === 0) throw new SshError('bad-key', `${where}: no private key is given; set identity_file`);
  keys.forEach((key, index) => {
    const parsed = ssh2.utils.parseKey(key);
    if (!(parsed instanceof Error)) return;
    const which = keys.length === 1 ? 'the private key' : `private key ${index + 1}`;
    throw new SshError(
      'bad-key',
      /encrypted/i.test(parsed.message)
        ? `${where}: ${which} is protected by a passphrase; give a key without one (ssh-keygen -p -N '' -f a copy of it)`
        : `${where}: ${which} is not an RSA, ECDSA or Ed25519 private key in OpenSSH or PEM format`,
    );
  });
}
