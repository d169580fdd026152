import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate that nobody trusts, to have something to end a handshake with. Made once, by `openssl`. */
export async function strangerCertificate(directory: string): Promise<string> {
  const path = join(directory, 'stranger.pem');
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path];
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      ...key,
      '-days',
      '3650',
      '-subj',
      '/CN=invalid',
      '-out',
      `${path}.crt`,
    ]);
    await promisify(execFile)('sh', ['-c', 'cat "$1.crt" >> "$1" && rm "$1.crt"', 'sh', path]);
  }
  return path;
}
