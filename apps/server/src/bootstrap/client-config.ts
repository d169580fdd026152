import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { dump, load } from 'js-yaml';
import { hasCode } from '../errors/has-code.js';

export interface ClientProject {
  readonly name: string;
  readonly url: string;
  readonly token: string;
}

export type ClientConfigChange =
  /** Written. */
  | { readonly kind: 'written' }
  /** Already as it should be. */
  | { readonly kind: 'same' }
  /** Kept: it points to another server, and nobody agreed to change that. */
  | { readonly kind: 'kept'; readonly url: string };

interface Entry {
  readonly name?: unknown;
  readonly url?: unknown;
  readonly token?: unknown;
  readonly default?: unknown;
}

/** Puts a project into the CLI's configuration. One that points elsewhere is replaced only when `mayReplace` says so. */
export async function configureClient(
  path: string,
  project: ClientProject,
  mayReplace: (currentUrl: string) => Promise<boolean>,
): Promise<ClientConfigChange> {
  const { projects, rest } = await read(path);
  const current = projects.find(({ name }) => name === project.name);
  if (current?.url === project.url && current.token === project.token) return { kind: 'same' };
  const pointsElsewhere = typeof current?.url === 'string' && current.url !== project.url;
  if (pointsElsewhere && !(await mayReplace(String(current.url)))) return { kind: 'kept', url: String(current.url) };
  const isDefault = current?.default === true || !projects.some((other) => other.default === true);
  const entry = { name: project.name, url: project.url, token: project.token, default: isDefault };
  const others = projects.filter(({ name }) => name !== project.name);
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, dump({ ...rest, projects: [...others, entry] }), { mode: 0o600 });
  await rename(temporary, path); // the CLI never reads half a file
  return { kind: 'written' };
}

async function read(path: string): Promise<{ projects: Entry[]; rest: Record<string, unknown> }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { projects: [], rest: {} };
    throw error;
  }
  const value = load(text);
  if (typeof value !== 'object' || value === null) return { projects: [], rest: {} };
  const { projects = [], ...rest } = value as Record<string, unknown>;
  return { projects: Array.isArray(projects) ? (projects as Entry[]) : [], rest };
}
