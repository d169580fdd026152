import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lchown, link, lstat, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { checkLinkTarget, checkParents, entryPath, UnsafeArchiveError } from './inside-root.js';

export interface ExtractOptions {
  /** Gives an entry its name below the root; by default its own. */
  readonly rename?: (path: string) => string;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Unpacks an uncompressed tar below `root`. @throws {UnsafeArchiveError} for anything that would land or point outside. */
export async function extractTar(archive: string, root: string, options: ExtractOptions = {}): Promise<void> {
  const untar = extract();
  const source = createReadStream(archive);
  const feeding = pipeline(source, untar);
  feeding.catch(() => undefined);
  for await (const entry of untar) {
    await place(entry.header, untilBroken(entry, feeding), root, options);
    entry.resume();
  }
  await feeding;
}

/**
 * The content of an entry; when it breaks off, what broke the archive is the error. (A pipeline would never hear of it: the
 * entry is a stream of another kind.)
 */
async function* untilBroken(content: AsyncIterable<unknown>, feeding: Promise<void>): AsyncGenerator<unknown> {
  try {
    yield* content;
  } catch (error) {
    await feeding;
    throw error;
  }
}

async function place(
  header: Header,
  content: AsyncIterable<unknown>,
  root: string,
  options: ExtractOptions,
): Promise<void> {
  const rename = options.rename ?? ((path: string): string => path);
  const entry = entryPath(rename(entryPath(header.name)));
  if (entry === '.' || entry === '') return;
  await checkParents(root, entry);
  const path = join(root, entry);
  await makeParents(root, posix.dirname(entry), options);
  const existing = await lstat(path).catch(() => undefined);
  if (existing !== undefined && !(existing.isDirectory() && header.type === 'directory')) {
    await rm(path, { recursive: true, force: true });
  }
  const mode = (header.mode ?? 0o644) & 0o777;
  switch (header.type) {
    case 'directory':
      await mkdir(path, { recursive: true });
      await chmod(path, mode | 0o700);
      break;
    case 'symlink':
      checkLinkTarget(entry, header.linkname ?? '');
      await symlink(header.linkname ?? '', path);
      break;
    case 'link': {
      const target = entryPath(rename(entryPath(header.linkname ?? '')));
      await checkParents(root, target);
      if ((await lstat(join(root, target))).isSymbolicLink()) {
        throw new UnsafeArchiveError(`the archive has a hard link to a link: ${JSON.stringify(entry)}`);
      }
      await link(join(root, target), path);
      break;
    }
    case 'file':
    case 'contiguous-file':
    case null:
    case undefined:
      await pipeline(Readable.from(content), createWriteStream(path, { flags: 'wx', mode }));
      await chmod(path, mode);
      if (header.mtime) await utimes(path, header.mtime, header.mtime);
      break;
    default:
      // Devices and pipes have no place in a working copy.
      throw new UnsafeArchiveError(`the archive has an entry of type ${header.type}: ${JSON.stringify(entry)}`);
  }
  await own(path, options);
}

async function makeParents(root: string, dir: string, options: ExtractOptions): Promise<void> {
  let path = root;
  for (const part of dir.split('/')) {
    if (part === '.' || part === '') continue;
    path = join(path, part);
    const created = await mkdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (created) await own(path, options);
  }
}

async function own(path: string, options: ExtractOptions): Promise<void> {
  if (options.owner !== undefined) await lchown(path, options.owner.uid, options.owner.gid);
}
