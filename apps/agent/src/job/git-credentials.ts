import { chmod, lchown, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RepoSetup } from '@dstack/agent-protocol';
import { makeOwnedDir } from '../files/make-owned-dir.js';
import type { FilePlace } from './job-files.js';

type Credentials = NonNullable<Extract<RepoSetup, { kind: 'remote' }>['credentials']>;

/** Environment of git itself: nothing on a command line, and a token only for the repo's own host. */
export function gitEnvironment(
  url: string,
  credentials: Credentials | undefined,
  keyFile: string | undefined,
  sshCommand: readonly string[],
): Record<string, string> {
  const env: Record<string, string> = { GIT_TERMINAL_PROMPT: '0' };
  const host = /^https?:\/\/(?:[^@/]*@)?([^/]+)/.exec(url);
  if (credentials?.oauthToken !== undefined && host?.[1] !== undefined) {
    const scheme = url.slice(0, url.indexOf(':'));
    env['GIT_CONFIG_COUNT'] = '1';
    env['GIT_CONFIG_KEY_0'] = `http.${scheme}://${host[1]}/.extraHeader`;
    env['GIT_CONFIG_VALUE_0'] =
      `Authorization: Basic ${Buffer.from(`anything:${credentials.oauthToken}`).toString('base64')}`;
  }
  if (keyFile !== undefined) {
    env['GIT_SSH_VARIANT'] = 'ssh';
    env['GIT_SSH_COMMAND'] =
      `${[...sshCommand, '-i', keyFile].map(quoted).join(' ')} -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new -o BatchMode=yes`;
  }
  return env;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Gives the job's own git and gh the credentials, where its user has none. Resolves with how to take them away again. */
export async function installGitCredentials(
  repo: Extract<RepoSetup, { kind: 'remote' }>,
  place: FilePlace,
): Promise<() => Promise<void>> {
  const placed: string[] = [];
  const put = async (path: string, content: string): Promise<void> => {
    await makeOwnedDir(dirname(path), place.owner, 0o700);
    const made = await writeFile(path, content, { mode: 0o600, flag: 'wx' }).then(
      () => true,
      () => false,
    );
    if (!made) return;
    placed.push(path);
    await chmod(path, 0o600);
    if (place.owner !== undefined) await lchown(path, place.owner.uid, place.owner.gid);
  };
  if (place.home !== '/') {
    const { privateKey, oauthToken } = repo.credentials ?? {};
    if (privateKey !== undefined) await put(join(place.home, '.ssh', 'id_rsa'), ensureFinalNewline(privateKey));
    const host = /^https:\/\/(?:[^@/]*@)?([^/:]+)/.exec(repo.url)?.[1];
    if (oauthToken !== undefined && host !== undefined) {
      await put(
        join(place.home, '.config', 'gh', 'hosts.yml'),
        `${host}:\n    oauth_token: ${JSON.stringify(oauthToken)}\n`,
      );
    }
  }
  return async () => {
    for (const path of placed) await rm(path, { force: true });
  };
}

/** OpenSSH refuses a key without it. */
export function ensureFinalNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
