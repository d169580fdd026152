import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Dstack } from '@dstack/sdk';
import { CliError } from '../errors/cli-error.js';

const run = promisify(execFile);

/** The key pair the server keeps for the user, as a file of this machine readable by its owner only. */
export async function managedIdentity(client: Dstack, home: string): Promise<string> {
  const user = await client.users.me();
  if (!user.ssh_private_key)
    throw new CliError('The server keeps no SSH key for you.', { hint: 'Pass your own: --ssh-identity FILE' });
  const directory = join(home, '.dstack', 'ssh');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const name = createHash('sha256').update(user.creds.token).digest('hex').slice(0, 16);
  const file = join(directory, name);
  const text = user.ssh_private_key.endsWith('\n') ? user.ssh_private_key : `${user.ssh_private_key}\n`;
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** The public half of a private key file: from `FILE.pub`, else derived. @throws {CliError} */
export async function publicKeyOf(
  identityFile: string,
  cwd: string,
): Promise<{ privateFile: string; publicKey: string }> {
  const privateFile = resolve(cwd, identityFile.replace(/^~(?=\/)/, homedir()));
  const text = await readFile(privateFile, 'utf8').catch((cause: unknown) => {
    throw new CliError(`Cannot read the SSH key ${identityFile}.`, {
      hint: 'Pass a private key: --ssh-identity FILE',
      cause,
    });
  });
  if (!text.includes('PRIVATE KEY'))
    throw new CliError(`${identityFile} is no private key.`, { hint: 'Pass the private key, not the .pub file.' });
  const beside = await readFile(`${privateFile}.pub`, 'utf8').catch(() => undefined);
  if (beside) return { privateFile, publicKey: beside.trim() };
  const derived = await run('ssh-keygen', ['-y', '-P', '', '-f', privateFile]).catch((cause: unknown) => {
    throw new CliError(`Cannot derive the public key of ${identityFile}.`, {
      hint: `Put it beside: ${identityFile}.pub`,
      cause,
    });
  });
  return { privateFile, publicKey: derived.stdout.trim() };
}
