import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lchown, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoginUser } from './login-user.js';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const NAME = 'authorized_keys';
const TRIES = 10;

/**
 * Replaces the user's `authorized_keys` by what `edit` makes of it, all at once. The directory is the user's to write in, and we have more
 * rights than the user: it is opened once, nothing in it is reached through a link.
 * @param edit gets and gives `latin1`, in which each byte is one character
 */
export async function editAuthorizedKeys(user: LoginUser, edit: (content: string) => string): Promise<void> {
  const directory = await openDirectory(user);
  try {
    // Through the handle: the path may lead elsewhere a moment later.
    const path = join('/proc/self/fd', String(directory.fd));
    for (let left = TRIES; left > 0; left--) if (await tryEdit(path, user, edit)) return;
    throw new Error(`${user.home}/.ssh/${NAME} is being changed by somebody else all the time`);
  } finally {
    await directory.close();
  }
}

/** False when somebody else changed the file meanwhile. */
async function tryEdit(directory: string, user: LoginUser, edit: (content: string) => string): Promise<boolean> {
  const before = await read(directory, user);
  const content = edit(before.content);
  if (content === before.content) return true;
  const draft = join(directory, `.${NAME}.${randomBytes(6).toString('hex')}`);
  const file = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(content, 'latin1');
    await file.chown(before.stats?.uid ?? user.uid, before.stats?.gid ?? user.gid);
    await file.chmod((before.stats?.mode ?? 0o600) & 0o7755);
    await file.sync();
    if ((await read(directory, user)).content !== before.content) return false;
    await rename(draft, join(directory, NAME));
    return true;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

async function read(directory: string, user: LoginUser): Promise<{ content: string; stats?: Stats }> {
  let file: FileHandle;
  try {
    file = await open(join(directory, NAME), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { content: '' };
    const why = code === 'ELOOP' ? 'is a link, which is not followed' : `cannot be read (${code ?? 'unknown'})`;
    throw new Error(`${user.home}/.ssh/${NAME} ${why}`, { cause: error });
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error(`${user.home}/.ssh/${NAME} is no file`);
    return { content: await file.readFile('latin1'), stats };
  } finally {
    await file.close();
  }
}

async function openDirectory(user: LoginUser): Promise<FileHandle> {
  const path = join(user.home, '.ssh');
  try {
    await mkdir(path, { mode: 0o700 });
    await lchown(path, user.uid, user.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new Error(`${path} cannot be made: ${String(error)}`, { cause: error });
  }
  let directory: FileHandle;
  try {
    directory = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    throw new Error(`${path} is no directory of the user's own`, { cause: error });
  }
  const { uid } = await directory.stat();
  if (uid === user.uid || uid === 0) return directory;
  await directory.close();
  throw new Error(`${path} belongs to somebody else`);
}
