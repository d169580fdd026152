import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2 from 'ssh2';
import { errorCode } from './error-code.js';
import { generateKeyPair } from './generate-key-pair.js';

export class HostKeyError extends Error {
  override readonly name = 'HostKeyError';
}

/** Reads the key, or makes one when there is none. A damaged key is an error: a new one would look like an attack to clients. */
export async function loadHostKey(file: string): Promise<string> {
  const known = await read(file);
  if (known !== undefined) return checked(known, file);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = generateKeyPair().private;
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, fresh, { mode: 0o600 });
  try {
    // A link never replaces: of two agents starting at once both use the first one's key.
    await link(draft, file);
    return fresh;
  } catch (error) {
    const other = await read(file);
    if (other === undefined) throw error;
    return checked(other, file);
  } finally {
    await rm(draft, { force: true });
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function checked(text: string, file: string): string {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error || !key.isPrivateKey()) {
    throw new HostKeyError(`${file} does not hold a private key: remove it to have a new one made`);
  }
  return text;
}
