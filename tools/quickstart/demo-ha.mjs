#!/usr/bin/env node
/**
 * `npm run demo:ha`: three servers on one Postgres, one of which is killed while runs go on. Installs and builds what is missing, as `npm start` does;
 * needs the programs of Postgres beside.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { Progress } from './progress.mjs';
import { repositoryRoot } from './repository-root.mjs';

const progress = new Progress();
const node = await install(progress);
await build(progress, node);
// The terminal tells both of Ctrl-C; the demonstration cleans up, and this waits for it.
process.on('SIGINT', () => undefined);
const { status } = spawnSync(node, [join(repositoryRoot, 'tools/e2e/dist/replicas/demo.js')], { stdio: 'inherit' });
process.exitCode = status ?? 1;
