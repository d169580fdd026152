import { createHash } from 'node:crypto';
import { CliError } from '../errors/cli-error.js';

export interface RepoUrl {
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string;
  /** `owner/name`, without `.git`. */
  readonly path: string;
  readonly scheme: 'https' | 'ssh';
}

/** `https://host/path`, `ssh://user@host:port/path`, `user@host:path`; anything else is undefined. Pure. */
export function parseRepoUrl(text: string): RepoUrl | undefined {
  const short = /^([^@/\s]+)@([^:/\s]+):(.+)$/.exec(text);
  if (short && !text.includes('://'))
    return {
      scheme: 'ssh',
      user: short[1] ?? 'git',
      host: short[2] ?? '',
      port: undefined,
      path: cleanPath(short[3] ?? ''),
    };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'ssh:') return undefined;
  const path = cleanPath(url.pathname);
  if (path === '' || url.hostname === '') return undefined;
  return {
    scheme: url.protocol === 'https:' ? 'https' : 'ssh',
    user: url.username || 'git',
    host: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    path,
  };
}

/** @throws {CliError} */
export function requireRepoUrl(text: string): RepoUrl {
  const url = parseRepoUrl(text);
  if (url) return url;
  throw new CliError(`${text} is no repository dstack can clone.`, {
    hint: 'Use an https:// or ssh:// URL, or user@host:path.',
  });
}

export function repoName(url: RepoUrl): string {
  return url.path.split('/').at(-1) ?? url.path;
}

/** The same for all forms of one repository's address. `host` is the real one (SSH aliases resolved). */
export function repoId(url: RepoUrl, host = url.host): string {
  const digest = createHash('sha256').update(`${host.toLowerCase()}/${url.path}`).digest('hex');
  const digits = BigInt(`0x${digest}`).toString(36).slice(-8).padStart(8, '0');
  return `${repoName(url)}-${digits}`;
}

export function httpsForm(url: RepoUrl): string {
  const port = url.scheme === 'https' && url.port !== undefined ? `:${url.port}` : '';
  return `https://${url.host}${port}/${url.path}.git`;
}

export function sshForm(url: RepoUrl): string {
  const port = url.scheme === 'ssh' && url.port !== undefined ? `:${url.port}` : '';
  return `ssh://${url.scheme === 'ssh' ? url.user : 'git'}@${url.host}${port}/${url.path}.git`;
}

function cleanPath(path: string): string {
  return path
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}
