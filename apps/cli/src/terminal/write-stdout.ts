import { once } from 'node:events';

/** Writes bytes as they are, waiting while the reader is slow. */
export async function writeStdout(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}
