import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CliError } from '../errors/cli-error.js';
import { publicKeyOf } from './identity.js';

/** As ssh itself tries them. */
const USUAL = ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub'];

export interface ReadKey {
  readonly publicKey: string;
  readonly file: string;
}

/**
 * Of a file with a public key, or beside one with a private key: that leaves this machine never.
 * @param given undefined: the user's usual one
 * @throws {CliError}
 */
export async function readPublicKey(
  given: string | undefined,
  { cwd, home }: { readonly cwd: string; readonly home: string },
): Promise<ReadKey> {
  if (given === undefined) return usualKey(home);
  const file = resolve(cwd, given.replace(/^~(?=\/)/, home));
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CliError(`Cannot read the SSH key ${given}.`, { hint: 'Pass a public key: FILE.pub', cause });
  });
  if (!text.includes('PRIVATE KEY')) return { publicKey: text.trim(), file };
  return { publicKey: (await publicKeyOf(file, cwd)).publicKey, file };
}

async function usualKey(home: string): Promise<ReadKey> {
  for (const name of USUAL) {
    const file = join(home, '.ssh', name);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return { publicKey: text.trim(), file };
  }
  throw new CliError(`There is no public SSH key in ${join(home, '.ssh')}.`, {
    hint: 'Make one: ssh-keygen -t ed25519. Or pass one: dstack ssh-key add FILE.pub',
  });
}
