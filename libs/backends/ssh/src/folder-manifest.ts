import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Goes with the folder, so that a host can check what arrived. */
export const MANIFEST_NAME = 'MANIFEST';

export interface FolderFile {
  /** Below the folder, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
}

export interface FolderManifest {
  /** Sorted by path, whatever order the file system has. */
  readonly files: readonly FolderFile[];
  /** What `sha256sum -c` reads. */
  readonly text: string;
  /** SHA-256 (hex) of `text`, and so of every file. */
  readonly digest: string;
}

export async function readFolderManifest(folder: string, signal: AbortSignal): Promise<FolderManifest> {
  const files = await listFiles(folder);
  const lines: string[] = [];
  for (const { path } of files) lines.push(`${await sha256(join(folder, path), signal)}  ${path}\n`);
  const text = lines.join('');
  return { files, text, digest: createHash('sha256').update(text).digest('hex') };
}

async function listFiles(folder: string): Promise<FolderFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const { size, mode } = await stat(path);
        return {
          path: relative(folder, path),
          sizeBytes: size,
          executable: (mode & 0o100) !== 0,
        };
      }),
  );
  return files.filter(({ path }) => path !== MANIFEST_NAME).sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function sha256(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}
