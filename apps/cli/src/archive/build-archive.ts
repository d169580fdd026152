import { lstat, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { pack, type Header } from 'tar-stream';
import { CliError } from '../errors/cli-error.js';
import { errorCode } from '../errors/error-code.js';
import { IgnoreRules } from './ignore-rules.js';

interface Entry {
  readonly header: Partial<Header> & { name: string };
  readonly content?: Uint8Array;
}

/**
 * A tar of a file or directory under its base name, without what ignore files exclude. Entries are sorted and owned by nobody in
 * particular, so the same files make the same bytes.
 * @throws {CliError} naming the path that cannot be read
 */
export async function buildArchive(path: string, home: string): Promise<Uint8Array> {
  const entries = await collect(path, home).catch((error: unknown) => {
    if (error instanceof CliError) throw error;
    const failed = typeof error === 'object' && error !== null && 'path' in error ? String(error.path) : path;
    const reason = errorCode(error) === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw new CliError(`${failed} ${reason}.`, {
      hint: 'Correct files in the configuration, or exclude it in .dstackignore.',
      cause: error,
    });
  });
  return toTar(entries);
}

async function collect(path: string, home: string): Promise<Entry[]> {
  const root = await realpath(path);
  const name = basename(path);
  const info = await stat(path);
  if (!info.isDirectory()) return [await fileEntry(root, name)];
  const entries: Entry[] = [{ header: { ...common(info), name: `${name}/`, type: 'directory' } }];
  await walk({ root, name, directory: root, rules: await IgnoreRules.of(root, home), entries });
  return entries;
}

interface Walk {
  readonly root: string;
  readonly name: string;
  readonly directory: string;
  readonly rules: IgnoreRules;
  readonly entries: Entry[];
}

async function walk({ root, name, directory, rules, entries }: Walk): Promise<void> {
  const children = (await readdir(directory)).sort();
  for (const child of children) {
    const path = join(directory, child);
    if (path === join(root, '.git')) continue;
    const info = await lstat(path);
    if (rules.ignores(path, info.isDirectory())) continue;
    const archived = [name, ...relative(root, path).split(sep)].join('/');
    if (info.isDirectory()) {
      entries.push({ header: { ...common(info), name: `${archived}/`, type: 'directory' } });
      await walk({ root, name, directory: path, rules: await rules.enter(path), entries });
    } else if (info.isSymbolicLink()) {
      const entry = await linkEntry(root, path, archived);
      if (entry) entries.push(entry);
    } else if (info.isFile()) {
      entries.push(await fileEntry(path, archived));
    }
  }
}

/** A link inside stays a link (relative); one that leads out is replaced by the file it means. */
async function linkEntry(root: string, path: string, archived: string): Promise<Entry | undefined> {
  const target = resolve(dirname(path), await readlink(path));
  if (target === root || target.startsWith(root + sep)) {
    const info = await lstat(path);
    return { header: { ...common(info), name: archived, type: 'symlink', linkname: relative(dirname(path), target) } };
  }
  const info = await stat(path);
  return info.isFile() ? fileEntry(path, archived) : undefined;
}

async function fileEntry(path: string, archived: string): Promise<Entry> {
  const content = await readFile(path);
  return { header: { ...common(await stat(path)), name: archived, type: 'file', size: content.length }, content };
}

function common(info: { mode: number; mtime: Date }): Pick<Partial<Header>, 'mode' | 'mtime' | 'uid' | 'gid'> {
  return { mode: info.mode & 0o777, mtime: new Date(Math.floor(info.mtime.getTime() / 1000) * 1000), uid: 0, gid: 0 };
}

async function toTar(entries: readonly Entry[]): Promise<Uint8Array> {
  const tar = pack();
  for (const { header, content } of entries) {
    if (content) tar.entry(header, Buffer.from(content));
    else tar.entry(header);
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
