import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wire } from '@dstack/core';
import { type Dstack, isDstackError } from '@dstack/sdk';
import { load } from 'js-yaml';
import { CliError } from '../errors/cli-error.js';
import { isRecord } from '../apply/override-configuration.js';
import { sshOptions } from '../ssh/ssh-host.js';
import { gitBytes } from './git.js';
import type { OpenedRepo } from './open-repo.js';
import { httpsForm, type RepoUrl, sshForm } from './repo-url.js';

export interface CredentialFlags {
  readonly token?: string | undefined;
  readonly gitIdentity?: string | undefined;
}

const TIMEOUT_MS = 30_000;

/** Makes sure the server can clone the repo for this user: checks stored or finds new credentials and stores them. */
export async function ensureRepo(client: Dstack, repo: OpenedRepo, flags: CredentialFlags): Promise<void> {
  const stored = await storedCredentials(client, repo.id);
  const found = await findCredentials(repo.url, flags, stored);
  if (stored && sameCredentials(stored, found)) return;
  await client.repos.init({ repo_id: repo.id, repo_info: repo.info, repo_creds: found });
}

async function storedCredentials(client: Dstack, id: string): Promise<Wire.RemoteRepoCreds | undefined> {
  try {
    return (await client.repos.get(id)).repo_creds ?? undefined;
  } catch (error) {
    if (isDstackError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** The first credentials git can read the repository with. @throws {CliError} */
export async function findCredentials(
  url: RepoUrl,
  flags: CredentialFlags,
  stored: Wire.RemoteRepoCreds | undefined,
): Promise<Wire.RemoteRepoCreds> {
  const https = httpsForm(url);
  if (await canRead(https, {})) return { clone_url: https, private_key: null, oauth_token: null };
  const key = flags.gitIdentity === undefined ? stored?.private_key : await readKey(flags.gitIdentity);
  if (key) {
    if (await canReadWithKey(url, key)) return withKey(url, key);
    throw new CliError(
      `git refuses the ${flags.gitIdentity === undefined ? 'stored key' : `key ${flags.gitIdentity}`} for ${sshForm(url)}.`,
      {
        hint: 'The key must be allowed to read the repository and have no passphrase: --git-identity FILE',
      },
    );
  }
  const token = flags.token ?? stored?.oauth_token;
  if (token) {
    if (await canReadWithToken(url, token)) return withToken(url, token);
    throw new CliError(`git refuses the token for ${https}.`, { hint: 'Pass a valid one: --token TOKEN' });
  }
  for (const file of await candidateKeys(url)) {
    const candidate = await readFile(file, 'utf8').catch(() => undefined);
    if (candidate && (await canReadWithKey(url, candidate))) return withKey(url, candidate);
  }
  const cliToken = await githubCliToken(url.host);
  if (cliToken && (await canReadWithToken(url, cliToken))) return withToken(url, cliToken);
  throw new CliError(`No credentials found that can read ${https}.`, {
    hint: 'Pass --token TOKEN or --git-identity FILE.',
  });
}

function withKey(url: RepoUrl, key: string): Wire.RemoteRepoCreds {
  return { clone_url: sshForm(url), private_key: key, oauth_token: null };
}

function withToken(url: RepoUrl, token: string): Wire.RemoteRepoCreds {
  return { clone_url: httpsForm(url), private_key: null, oauth_token: token };
}

async function readKey(file: string): Promise<string> {
  const text = await readFile(file.replace(/^~(?=\/)/, homedir()), 'utf8').catch((cause: unknown) => {
    throw new CliError(`Cannot read the key ${file}.`, { hint: 'Pass a private key: --git-identity FILE', cause });
  });
  if (!text.includes('PRIVATE KEY'))
    throw new CliError(`${file} is no private key.`, { hint: 'Pass the private key, not the .pub file.' });
  return text;
}

async function candidateKeys(url: RepoUrl): Promise<string[]> {
  const configured = (await sshOptions(url.host)).get('identityfile')?.[0];
  const files = [configured?.replace(/^~(?=\/)/, homedir()), join(homedir(), '.ssh', 'id_rsa')];
  return [...new Set(files.filter((file) => file !== undefined))];
}

/** From the hosts file of the GitHub CLI. */
async function githubCliToken(host: string): Promise<string | undefined> {
  const text = await readFile(join(homedir(), '.config', 'gh', 'hosts.yml'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const hosts: unknown = load(text);
    const entry = isRecord(hosts) ? hosts[host] : undefined;
    const token = isRecord(entry) ? entry['oauth_token'] : undefined;
    return typeof token === 'string' ? token : undefined;
  } catch {
    return undefined;
  }
}

/** The token goes by the environment, never by the command line, where every user of the machine could see it. */
function canReadWithToken(url: RepoUrl, token: string): Promise<boolean> {
  const basic = Buffer.from(`oauth2:${token}`).toString('base64');
  return canRead(httpsForm(url), {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  });
}

async function canReadWithKey(url: RepoUrl, key: string): Promise<boolean> {
  const scratch = await mkdtemp(join(tmpdir(), 'dstack-key-'));
  try {
    const file = join(scratch, 'key');
    await writeFile(file, key.endsWith('\n') ? key : `${key}\n`, { mode: 0o600 });
    const ssh = [
      'ssh',
      '-i',
      `'${file}'`,
      '-o',
      'IdentitiesOnly=yes',
      '-o',
      'BatchMode=yes',
      '-o',
      'StrictHostKeyChecking=accept-new',
    ];
    return await canRead(sshForm(url), { GIT_SSH_COMMAND: ssh.join(' ') });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Without the user's configuration, helpers and prompts: the server will not have them either. */
async function canRead(url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const isolated = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  try {
    await gitBytes(['ls-remote', '--exit-code', '--quiet', url, 'HEAD'], {
      cwd: tmpdir(),
      env: { ...isolated, ...env },
      timeoutMs: TIMEOUT_MS,
    });
    return true;
  } catch {
    return false;
  }
}

function sameCredentials(a: Wire.RemoteRepoCreds, b: Wire.RemoteRepoCreds): boolean {
  return (
    a.clone_url === b.clone_url &&
    (a.private_key ?? null) === (b.private_key ?? null) &&
    (a.oauth_token ?? null) === (b.oauth_token ?? null)
  );
}
