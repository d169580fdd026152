import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Wire } from '@dstack/core';
import { CliError } from '../errors/cli-error.js';
import { git, gitBytes, tryGit } from './git.js';
import { remoteBase } from './remote-base.js';
import { parseRepoUrl, repoId, repoName, type RepoUrl, requireRepoUrl } from './repo-url.js';

/** A repository as a run takes it along. */
export interface OpenedRepo {
  readonly id: string;
  readonly url: RepoUrl;
  readonly info: Wire.RemoteRepoInfo;
  readonly data: Wire.RemoteRunRepoDataInput;
  /** Uncommitted and unpushed work as a git diff; empty when there is none. */
  readonly diff: Uint8Array;
}

export interface RepoChoice {
  /** A path or a URL. */
  readonly source: string;
  readonly branch?: string | undefined;
  readonly hash?: string | undefined;
  readonly directory: string;
}

/** @throws {CliError} */
export function openRepo(choice: RepoChoice): Promise<OpenedRepo> {
  const url = parseRepoUrl(choice.source);
  return url ? openUrl(url, choice) : openCheckout(resolve(choice.directory, choice.source));
}

async function openUrl(url: RepoUrl, choice: RepoChoice): Promise<OpenedRepo> {
  return {
    id: repoId(url),
    url,
    info: { repo_type: 'remote', repo_name: repoName(url) },
    data: {
      repo_type: 'remote',
      repo_name: repoName(url),
      repo_branch: choice.branch ?? null,
      repo_hash: choice.hash ?? null,
      repo_config_name: (await tryGit(['config', 'user.name'], { cwd: choice.directory })) ?? null,
      repo_config_email: (await tryGit(['config', 'user.email'], { cwd: choice.directory })) ?? null,
    },
    diff: new Uint8Array(),
  };
}

async function openCheckout(path: string): Promise<OpenedRepo> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new CliError(`The repository path ${path} does not exist.`, { hint: 'Correct it, or pass a URL.' });
  if (!info.isDirectory())
    throw new CliError(`The repository path ${path} is not a directory.`, {
      hint: 'Pass the directory of a checkout.',
    });
  const root = await tryGit(['rev-parse', '--show-toplevel'], { cwd: path });
  if (root === undefined)
    throw new CliError(`${path} is not a git repository.`, {
      hint: 'To bring files without git, list them under files in the configuration.',
    });
  const at = { cwd: root };
  const { remote, branch, hash } = await remoteBase(root);
  const url = requireRepoUrl(await git(['remote', 'get-url', remote], at));
  return {
    id: repoId(url, await sshHostName(url)),
    url,
    info: { repo_type: 'remote', repo_name: repoName(url) },
    data: {
      repo_type: 'remote',
      repo_name: repoName(url),
      repo_branch: branch,
      repo_hash: hash,
      repo_config_name: (await tryGit(['config', 'user.name'], at)) ?? null,
      repo_config_email: (await tryGit(['config', 'user.email'], at)) ?? null,
    },
    diff: await workDiff(root, hash),
  };
}

/** All work since a commit, untracked files included. Done on a copy of the index: the user's own is not touched. */
async function workDiff(root: string, since: string): Promise<Uint8Array> {
  const scratch = await mkdtemp(join(tmpdir(), 'dstack-index-'));
  try {
    const index = join(scratch, 'index');
    const own = resolve(root, await git(['rev-parse', '--git-path', 'index'], { cwd: root }));
    await copyFile(own, index).catch(() => undefined);
    const options = { cwd: root, env: { GIT_INDEX_FILE: index } };
    await gitBytes(['add', '--intent-to-add', '--all', '.'], options);
    return await gitBytes(['diff', '--binary', '--no-color', '--no-ext-diff', since], options);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The real host behind an alias of the user's SSH configuration. */
async function sshHostName(url: RepoUrl): Promise<string> {
  if (url.scheme === 'https') return url.host;
  const { sshHost } = await import('../ssh/ssh-host.js');
  return (await sshHost(url.host)) ?? url.host;
}
