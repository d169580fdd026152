import { CliError } from '../errors/cli-error.js';
import { git, type GitOptions, tryGit } from './git.js';

/** The newest commit a clone will have, on a branch that has it; what is newer here travels as a diff. */
export interface RemoteBase {
  readonly remote: string;
  readonly branch: string;
  readonly hash: string;
}

/** @throws {CliError} when no remote knows any commit of the checkout */
export async function remoteBase(root: string): Promise<RemoteBase> {
  const at = { cwd: root };
  return (await trackedBase(at)) ?? (await pushedBase(root, at));
}

/** Of a branch that tracks a remote one. */
async function trackedBase(at: GitOptions): Promise<RemoteBase | undefined> {
  const branch = await tryGit(['symbolic-ref', '--short', 'HEAD'], at);
  if (branch === undefined) return undefined;
  const remote = await tryGit(['config', `branch.${branch}.remote`], at);
  const merge = await tryGit(['config', `branch.${branch}.merge`], at);
  const hash = await tryGit(['rev-parse', '@{upstream}'], at);
  if (remote === undefined || remote === '.' || merge === undefined || hash === undefined) return undefined;
  return { remote, branch: merge.replace(/^refs\/heads\//, ''), hash };
}

/** Of a branch that was never pushed, or of no branch: where it left what was. */
async function pushedBase(root: string, at: GitOptions): Promise<RemoteBase> {
  const remotes = (await git(['remote'], at)).split('\n').filter((name) => name !== '');
  const remote = remotes.includes('origin') ? 'origin' : remotes[0];
  if (remote === undefined)
    throw new CliError(`${root} has no remote.`, { hint: 'Push it somewhere, or bring its files under files.' });
  const head = await tryGit(['rev-parse', '--verify', 'HEAD'], at);
  const hash = head === undefined ? undefined : await newestOn(remote, head, at);
  const branch = hash === undefined ? undefined : await branchWith(remote, hash, at);
  if (hash === undefined || branch === undefined)
    throw new CliError(`No commit of ${root} is known to be on its remote ${remote}.`, {
      hint: `Fetch it, or push once: git push -u ${remote} HEAD`,
    });
  return { remote, branch, hash };
}

async function newestOn(remote: string, head: string, at: GitOptions): Promise<string | undefined> {
  const listed = await git(['rev-list', '--topo-order', '--boundary', head, '--not', `--remotes=${remote}`], at);
  if (listed === '') return head;
  return listed
    .split('\n')
    .find((line) => line.startsWith('-'))
    ?.slice(1);
}

/** The remote's default branch if it has the commit, else the first that does. */
async function branchWith(remote: string, hash: string, at: GitOptions): Promise<string | undefined> {
  const prefix = `refs/remotes/${remote}/`;
  const listed = await git(['for-each-ref', '--contains', hash, '--format=%(refname)', prefix], at);
  const names = listed.split('\n').flatMap((ref) => (ref.startsWith(prefix) ? [ref.slice(prefix.length)] : []));
  const main = await tryGit(['symbolic-ref', '--short', `${prefix}HEAD`], at);
  const preferred = main?.replace(`${remote}/`, '');
  if (preferred !== undefined && names.includes(preferred)) return preferred;
  return names.find((name) => name !== 'HEAD');
}
