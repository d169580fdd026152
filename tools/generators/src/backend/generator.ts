import { type Tree, visitNotIgnoredFiles } from '@nx/devkit';
import { BACKEND_TYPES } from '@dstack/core';

export interface BackendOptions {
  readonly type: string;
  readonly title: string;
}

/** A REST cloud with few files, each of which every backend has: the copy compiles and keeps the contract before a line of it is changed. */
const MODEL = { type: 'lambda', title: 'Lambda' };
const FOLDERS = ['libs/backends', 'tools/cloud-fakes/src'] as const;
const SOURCES = /(^|\/)(src|test|package\.json|tsconfig[^/]*\.json|jest\.config\.mjs)/;

/** `nx g @dstack/generators:backend vultr --title Vultr` @throws {Error} for a type that clients do not know, or that there is already */
export default function backendGenerator(tree: Tree, { type, title }: BackendOptions): () => void {
  if (!BACKEND_TYPES.some((known) => known === type))
    throw new Error(`${type} is no backend type that clients know: ${BACKEND_TYPES.join(', ')}`);
  if (tree.exists(`libs/backends/${type}/package.json`)) throw new Error(`libs/backends/${type} exists already`);
  for (const folder of FOLDERS) copyFolder(tree, `${folder}/${MODEL.type}`, `${folder}/${type}`, { type, title });
  return () => console.log(nextSteps(type));
}

function copyFolder(tree: Tree, from: string, to: string, names: BackendOptions): void {
  visitNotIgnoredFiles(tree, from, (path) => {
    const inside = path.slice(from.length + 1);
    const content = tree.read(path, 'utf8');
    if (content === null || (from.startsWith('libs/') && !SOURCES.test(inside))) return;
    tree.write(`${to}/${renamed(inside, names)}`, renamed(content, names));
  });
}

function renamed(text: string, { type, title }: BackendOptions): string {
  return text
    .replaceAll(MODEL.type, type)
    .replaceAll(MODEL.title, title.replaceAll(/[^A-Za-z0-9]/g, ''))
    .replaceAll(MODEL.type.toUpperCase(), type.toUpperCase());
}

function nextSteps(type: string): string {
  return `
libs/backends/${type} and tools/cloud-fakes/src/${type} are copies of those of ${MODEL.title}. What is next (docs/contributing/backends.md):
  1. the stand-in: let it answer as the cloud does, and check itself with what the cloud publishes; name it in tools/cloud-fakes/package.json
  2. client.ts, schema.ts, errors.ts, machine-state.ts, offers.ts: the cloud's own
  3. npm install, npm run format, then the conformance suite of libs/backends/${type}
  4. the server's optional peers, the root tsconfig.json, a story in tools/e2e/test, docs/backends/${type}.md`;
}
