import { open, mkdtemp, readdir, rename, rm, rmdir, lchown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepoSetup } from '@dstack/agent-protocol';
import type { BlobStore } from '../files/blob-store.js';
import { assertInside } from '../files/assert-inside.js';
import { chownTree } from '../files/chown-tree.js';
import { extractTar } from '../files/extract-tar.js';
import { makeOwnedDir } from '../files/make-owned-dir.js';
import { runCommand } from '../process/run-command.js';
import { selfCommand } from '../self-command.js';
import { findCommand } from './find-command.js';
import { ensureFinalNewline, gitEnvironment } from './git-credentials.js';
import type { FilePlace } from './job-files.js';

type RemoteRepo = Extract<RepoSetup, { kind: 'remote' }>;
type RunGit = (args: readonly string[], stdinFile?: number) => Promise<string>;

export interface RepoPlace extends FilePlace {
  readonly repoDir: string;
  readonly path: string | undefined;
}

const LOST_AND_FOUND = 'lost+found';

/** Brings the repo to its directory. False: the directory had something in it, and the job wants that kept. */
export async function setUpRepo(repo: RepoSetup, blobs: BlobStore, place: RepoPlace): Promise<boolean> {
  await assertInside(place.confinedTo, place.repoDir);
  await makeOwnedDir(place.repoDir, place.owner);
  const present = await readdir(place.repoDir);
  if (present.some((name) => name !== LOST_AND_FOUND)) {
    if (repo.ifExists === 'skip') return false;
    throw new Error(`${place.repoDir} is not empty: choose another path for the repo, or set \`if_exists: skip\``);
  }
  // A fresh disk has this directory, and git clones into empty ones only.
  await withoutLostAndFound(place, present.length > 0, () =>
    repo.kind === 'remote' ? cloneRemote(repo, blobs, place) : unpackArchive(repo.blob, blobs, place),
  );
  return true;
}

async function withoutLostAndFound(place: RepoPlace, present: boolean, work: () => Promise<void>): Promise<void> {
  if (!present) return work();
  const aside = await mkdtemp(join(place.repoDir, '..', '.dstack-lost+found-'));
  await rename(join(place.repoDir, LOST_AND_FOUND), join(aside, LOST_AND_FOUND));
  try {
    await work();
  } finally {
    await rename(join(aside, LOST_AND_FOUND), join(place.repoDir, LOST_AND_FOUND)).catch(() => undefined);
    await rmdir(aside).catch(() => undefined);
  }
}

async function unpackArchive(blob: string | undefined, blobs: BlobStore, place: RepoPlace): Promise<void> {
  if (blob === undefined) return;
  await extractTar(blobs.path(blob), place.repoDir, place.owner === undefined ? {} : { owner: place.owner });
}

async function cloneRemote(repo: RemoteRepo, blobs: BlobStore, place: RepoPlace): Promise<void> {
  const git = findCommand('git', place.path, '/');
  if (git === undefined) return cloneWithoutGit(repo, place);
  const keyFile = await writeKey(repo.credentials?.privateKey, place);
  try {
    const env = {
      PATH: place.path ?? '/usr/local/bin:/usr/bin:/bin',
      HOME: place.home,
      ...gitEnvironment(repo.url, repo.credentials, keyFile, sshCommand(place.path)),
    };
    const run: RunGit = (args, stdinFile) =>
      runCommand(git, args, {
        cwd: place.repoDir,
        env,
        ...(place.owner === undefined ? {} : { owner: place.owner }),
        ...(stdinFile === undefined ? {} : { stdinFile }),
      });
    const reach = reachesByItself(repo, place) ? run : runAsAgent(git, env, place);
    await reach(cloneArguments(repo));
    await checkOut(repo, run, reach);
    if (repo.userName !== undefined) await run(['config', 'user.name', repo.userName]);
    if (repo.userEmail !== undefined) await run(['config', 'user.email', repo.userEmail]);
    if (repo.diffBlob !== undefined) await applyDiff(blobs.path(repo.diffBlob), run);
  } finally {
    if (keyFile !== undefined) await rm(keyFile, { force: true });
  }
}

/** Images with git often have no ssh. */
function sshCommand(path: string | undefined): string[] {
  return findCommand('ssh', path, '/') === undefined ? [...selfCommand(), 'git-ssh'] : ['ssh'];
}

/** The ssh client refuses a user without a passwd entry, which the user of a process job under a root agent is. */
function reachesByItself(repo: RemoteRepo, place: RepoPlace): boolean {
  return place.confinedTo === undefined || /^https?:/.test(repo.url);
}

/** What needs the network runs as the agent; what it brought is the job's at once. No command of the job runs before that. */
function runAsAgent(git: string, env: Readonly<Record<string, string>>, place: RepoPlace): RunGit {
  return async (args) => {
    const ssh = env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new';
    const output = await runCommand(git, ['-c', 'safe.directory=*', ...args], {
      cwd: place.repoDir,
      env: { ...env, GIT_SSH_COMMAND: `${ssh} -F /dev/null -o UserKnownHostsFile=/dev/null` },
    });
    if (place.owner !== undefined) await chownTree(place.repoDir, place.owner);
    return output;
  };
}

export function cloneArguments(repo: RemoteRepo): string[] {
  return [
    'clone',
    '--quiet',
    '--recurse-submodules',
    ...(repo.branch === undefined ? [] : ['--branch', repo.branch]),
    ...(repo.singleBranch ? ['--single-branch'] : []),
    '--',
    repo.url,
    '.',
  ];
}

/** On the branch when the commit is its head, detached otherwise. */
async function checkOut(repo: RemoteRepo, run: RunGit, reach: RunGit): Promise<void> {
  if (repo.hash === undefined) return;
  const head = (await run(['rev-parse', 'HEAD'])).trim();
  if (head === repo.hash) return;
  const known = await run(['cat-file', '-e', `${repo.hash}^{commit}`]).then(
    () => true,
    () => false,
  );
  if (!known) await reach(['fetch', '--quiet', 'origin', repo.hash]);
  await run(['checkout', '--quiet', '--detach', repo.hash]);
  await reach(['submodule', '--quiet', 'update', '--init', '--recursive']);
}

async function applyDiff(path: string, run: RunGit): Promise<void> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size === 0) return;
    await run(['apply', '--binary', '--whitespace=nowarn', '-'], file.fd);
  } finally {
    await file.close();
  }
}

async function writeKey(privateKey: string | undefined, place: RepoPlace): Promise<string | undefined> {
  if (privateKey === undefined) return undefined;
  const path = join(place.repoDir, `../.dstack-git-key-${process.pid}`);
  await rm(path, { force: true });
  await writeFile(path, ensureFinalNewline(privateKey), { mode: 0o600, flag: 'wx' });
  if (place.owner !== undefined) await lchown(path, place.owner.uid, place.owner.gid);
  return path;
}

/** For images without git: https only, no submodules; a diff needs git. */
async function cloneWithoutGit(repo: RemoteRepo, place: RepoPlace): Promise<void> {
  if (!/^https?:/.test(repo.url))
    throw new Error(`the image has no git, which ${repo.url} needs: install git in the image`);
  if (repo.diffBlob !== undefined) {
    throw new Error(
      'the image has no git, which applying your local changes needs: install git in the image, or commit and push them',
    );
  }
  const [{ default: git }, { default: http }, fs] = await Promise.all([
    import('isomorphic-git'),
    import('isomorphic-git/http/node'),
    import('node:fs'),
  ]);
  const token = repo.credentials?.oauthToken;
  const onAuth = token === undefined ? undefined : () => ({ username: 'anything', password: token });
  await git.clone({
    fs,
    http,
    dir: place.repoDir,
    url: repo.url,
    singleBranch: repo.singleBranch,
    ...(repo.branch === undefined ? {} : { ref: repo.branch }),
    ...(onAuth === undefined ? {} : { onAuth }),
  });
  if (repo.hash !== undefined && (await git.resolveRef({ fs, dir: place.repoDir, ref: 'HEAD' })) !== repo.hash) {
    await git.checkout({ fs, dir: place.repoDir, ref: repo.hash });
  }
  const identity = { 'user.name': repo.userName, 'user.email': repo.userEmail };
  for (const [path, value] of Object.entries(identity)) {
    if (value !== undefined) await git.setConfig({ fs, dir: place.repoDir, path, value });
  }
  if (place.owner !== undefined) await chownTree(place.repoDir, place.owner);
}
