import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './run-quietly.mjs';
import { repositoryRoot } from './repository-root.mjs';

const marker = join(repositoryRoot, 'node_modules', '.dstack-installed');

/**
 * Installs the locked dependencies unless they are already there, and returns the Node to run everything with: the pinned one on Linux,
 * else the user's own. Install scripts are off: nothing here needs a compiler.
 */
export async function install(progress) {
  const locked = createHash('sha256')
    .update(readFileSync(join(repositoryRoot, 'package-lock.json')))
    .digest('hex');
  if (!existsSync(marker) || readFileSync(marker, 'utf8') !== locked) {
    progress.step('Installing dependencies (about a minute, once)');
    await runQuietly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      hint: 'The install failed. Check the network and the free disk space, then run npm start again.',
    });
    writeFileSync(marker, locked);
  }
  const pinned = join(repositoryRoot, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}
