import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import type { AgentBundle } from './agent-bundle.js';
import { type FolderManifest, MANIFEST_NAME, readFolderManifest } from './folder-manifest.js';

export interface PackRequest {
  /** As `npm run build:folder -w @dstack/agent` makes it. */
  readonly folder: string;
  /** Where the archive is kept, under a name with its digest. */
  readonly cacheDir: string;
  readonly arch: AgentBundle['arch'];
  readonly signal: AbortSignal;
}

/** Of the 118 MB of a folder 5 makes 44.7 MB in 4.4 s, 6 makes 44.5 in 5.8 s, 9 makes 44.4 in 24 s, and 1 makes 48.4 in 2 s. */
const GZIP_LEVEL = 5;

/** Makes the archive of the agent's folder unless there is one of the same content, and removes those of other contents that are a day old. Two callers may do it at once. */
export async function packAgentFolder(request: PackRequest): Promise<AgentBundle> {
  const { folder, cacheDir, arch, signal } = request;
  const manifest = await readFolderManifest(folder, signal);
  if (manifest.files.length === 0) throw new Error(`there is no agent in ${folder}`);
  const path = join(cacheDir, `agent-${arch}-${manifest.digest}.tar.gz`);
  const sizeBytes = (await sizeOf(path)) ?? (await writeArchive(request, manifest, path));
  await removeOthers(cacheDir, arch, basename(path));
  return { arch, digest: manifest.digest, sizeBytes, open: () => createReadStream(path) };
}

/** An archive that was made may be about to be read, for hosts that wait for it: younger ones stay. */
const KEPT_MS = 24 * 3600 * 1000;

/** Of earlier versions, 45 MB each. One that is being read stays whole for its reader. */
async function removeOthers(cacheDir: string, arch: string, kept: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const isArchive = name.startsWith(`agent-${arch}-`) && name.endsWith('.tar.gz');
    if (!isArchive || name === kept) continue;
    const made = await stat(join(cacheDir, name)).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > KEPT_MS) await rm(join(cacheDir, name), { force: true });
  }
}

async function writeArchive(
  { folder, cacheDir, signal }: PackRequest,
  manifest: FolderManifest,
  path: string,
): Promise<number> {
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const archive = pack();
    const filling = fill(archive, folder, manifest, signal);
    filling.catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
    await pipeline(archive, createGzip({ level: GZIP_LEVEL }), createWriteStream(temporary, { mode: 0o600 }), {
      signal,
    });
    await filling;
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return (await stat(path)).size;
}

/** The same bytes for the same files: no times, no owners, and only the modes that a host needs. */
async function fill(archive: Pack, folder: string, manifest: FolderManifest, signal: AbortSignal): Promise<void> {
  const fixed = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: new Date(0) };
  archive.entry({ ...fixed, name: MANIFEST_NAME, mode: 0o444 }, manifest.text);
  for (const name of directoriesOf(manifest)) archive.entry({ ...fixed, name, type: 'directory', mode: 0o755 });
  for (const { path, sizeBytes, executable } of manifest.files) {
    const mode = executable ? 0o555 : 0o444;
    const entry = archive.entry({ ...fixed, name: path, size: sizeBytes, mode });
    await pipeline(createReadStream(join(folder, path)), entry, { signal });
  }
  archive.finalize();
}

function directoriesOf({ files }: FolderManifest): string[] {
  const all = files.flatMap(({ path }) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
  });
  return [...new Set(all)].sort();
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
