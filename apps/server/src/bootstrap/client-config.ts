import { mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
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
  | { readonly kind: 'kept'; readonly url: string }
  /** Kept: it is not what the CLI writes, and may be somebody's work. */
  | { readonly kind: 'unreadable'; readonly problem: string };

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
  const found = await read(path);
  if ('problem' in found) return { kind: 'unreadable', problem: found.problem };
  const { projects, rest } = found;
  const current = projects.find(({ name }) => name === project.name);
  if (current?.url === project.url && current.token === project.token) return { kind: 'same' };
  const pointsElsewhere = typeof current?.url === 'string' && current.url !== project.url;
  if (pointsElsewhere && !(await mayReplace(String(current.url)))) return { kind: 'kept', url: String(current.url) };
  const isDefault = current?.default === true || !projects.some((other) => other.default === true);
  const entry = { name: project.name, url: project.url, token: project.token, default: isDefault };
  const others = projects.filter(({ name }) => name !== project.name);
  await mkdir(dirname(path), { recursive: true });
  const file = await realpath(path).catch(() => path); // a link to it stays one
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, dump({ ...rest, projects: [...others, entry] }), { mode: 0o600 });
  await rename(temporary, file); // the CLI never reads half a file
  return { kind: 'written' };
}

interface ClientFile {
  readonly projects: Entry[];
  readonly rest: Record<string, unknown>;
}

async function read(path: string): Promise<ClientFile | { readonly problem: string }> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { projects: [], rest: {} };
    return { problem: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

function parse(text: string): ClientFile | { readonly problem: string } {
  // The parser takes a file with nothing, or with comments only, for a mistake.
  const value = loadAll(text).length === 0 ? {} : (load(text) ?? {});
  if (!isMapping(value)) return { problem: 'it is no mapping' };
  const { projects: listed, ...rest } = value;
  const projects = listed ?? [];
  if (!Array.isArray(projects) || !projects.every(isMapping))
    return { problem: 'its projects are no list of projects' };
  return { projects, rest };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
