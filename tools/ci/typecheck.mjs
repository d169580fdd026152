#!/usr/bin/env node
/**
 * `npm run typecheck`: the tests' types too. A build looks at what ships only, and Jest takes types away without reading them.
 * One process for all packages: what they share is read once, and what has not changed since is not looked at again.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const projects = globSync('{apps,libs,libs/backends,tools}/*/tsconfig.spec.json', { cwd: root });
const tsc = join(root, 'node_modules/typescript/bin/tsc');
process.exit(spawnSync(process.execPath, [tsc, '-b', ...projects], { cwd: root, stdio: 'inherit' }).status ?? 1);
