import { readdir, readFile, writeFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join, relative } from 'node:path';
import { hasCode } from '../../errors/has-code.js';
import { ChunkIndex } from '../../logs/chunk-index.js';
import { copyFile } from './copy-file.js';
import type { BackedUpFile } from './manifest.js';

/**
 * Copies the logs of a server that may go on writing them. Of each log first its index, then the bytes that this index names: they are on disk
 * before it. A log that is deleted meanwhile is left out.
 * @param serverDir holds `projects/`
 */
export async function copyLogs(serverDir: string, to: string): Promise<BackedUpFile[]> {
  const files: BackedUpFile[] = [];
  for await (const index of indexesUnder(join(serverDir, 'projects'))) {
    const stored = await readFile(index).catch(missing);
    if (stored === undefined) continue;
    const { endOffset, storedBytes } = new ChunkIndex(stored);
    const name = relative(serverDir, index);
    const log = name.replace(/\.idx$/, '.log');
    if (endOffset > 0) {
      const copied = await copyFile(join(serverDir, log), join(to, log), endOffset).catch(missing);
      if (copied === undefined) continue;
      files.push({ path: log, ...copied });
    }
    files.push({ path: name, ...(await writeBytes(join(to, name), stored.subarray(0, storedBytes))) });
  }
  return files;
}

async function* indexesUnder(folder: string): AsyncGenerator<string> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(missing)) ?? [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* indexesUnder(path);
    else if (entry.isFile() && entry.name.endsWith('.idx')) yield path;
  }
}

async function writeBytes(path: string, bytes: Buffer): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, bytes, { mode: 0o600, flag: 'wx', flush: true });
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function missing(error: unknown): undefined {
  if (hasCode(error, 'ENOENT')) return undefined;
  throw error;
}
