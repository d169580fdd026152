import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasCode } from '../errors/has-code.js';
import { ClientError } from '../http/api-errors.js';

const run = promisify(execFile);
const LIMIT_MS = 30_000;
const FOLDER = join('.dstack', 'templates');
const MOST_FILES = 200;
const MOST_BYTES = 256 * 1024;

/** git refused, or did not answer; without the address, which may hold a token. */
export class GitError extends Error {
  override readonly name = 'GitError';
}

export interface TemplateFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Only by HTTP: other ways of git run programs, or read files of the server.
 * @throws {ClientError}
 */
export function cloneUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href;
  throw new ClientError(
    'The repo of templates is a URL that begins with https://, such as https://github.com/org/repo',
  );
}

/** Whether git can read it. @throws {GitError} */
export async function checkRepo(url: string): Promise<void> {
  await git(['ls-remote', '--quiet', '--', url, 'HEAD']);
}

/** In the order of their names. @throws {GitError} */
export async function fetchTemplateFiles(url: string, serverDir: string): Promise<TemplateFile[]> {
  const id = createHash('sha256').update(url).digest('hex').slice(0, 32);
  const parent = join(serverDir, 'data', 'templates-repos');
  const clone = join(parent, `${id}-${process.pid}`);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await rm(clone, { recursive: true, force: true });
  try {
    await git(['clone', '--quiet', '--depth', '1', '--single-branch', '--no-tags', '--', url, clone]);
    return await readFolder(join(clone, FOLDER));
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

async function readFolder(folder: string): Promise<TemplateFile[]> {
  const files: TemplateFile[] = [];
  for (const name of (await namesIn(folder)).slice(0, MOST_FILES)) {
    // A link could lead out of the repo.
    const stat = await lstat(join(folder, name));
    if (!stat.isFile() || stat.size > MOST_BYTES) continue;
    files.push({ name, text: await readFile(join(folder, name), 'utf8') });
  }
  return files;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    for (const path of [join(folder, '..'), folder]) if ((await lstat(path)).isSymbolicLink()) return [];
    return (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

async function git(args: readonly string[]): Promise<void> {
  try {
    await run('git', ['-c', 'credential.helper=', ...args], {
      timeout: LIMIT_MS,
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'https:http', GIT_LFS_SKIP_SMUDGE: '1' },
    });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new GitError('git is not installed on the server');
    throw new GitError('git cannot reach the repo, or may not read it');
  }
}
