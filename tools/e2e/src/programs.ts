import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

const pinned = join(repositoryRoot, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');

export const node = existsSync(pinned) ? pinned : process.execPath;
export const serverProgram = join(repositoryRoot, 'apps/server/dist/main.js');
export const cliProgram = join(repositoryRoot, 'apps/cli/bin/dstack.mjs');

/** Jobs in containers need it; `npm run build:folder -w @dstack/agent` makes it. */
export const agentFolder = join(repositoryRoot, 'apps/agent/dist/folder');
