import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './run-quietly.mjs';
import { repositoryRoot } from './repository-root.mjs';

/**
 * Installs the locked dependencies unless they are already there, and returns the Node to run everything with: the pinned one on Linux,
 * else the user's own. Install scripts are off: nothing here needs a compiler.
 */
export async function install(progress) {
  if (!isInstalled()) {
    await progress.during('Installing dependencies (about a minute, once)', () =>
      runQuietly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
        hint: 'The install failed. Check the network and the free disk space, then run npm start again.',
      }),
    );
  }
  const pinned = join(repositoryRoot, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}

/** npm writes the hidden lock file when an install is complete: what stands there is on the disk. */
function isInstalled() {
  const hidden = join(repositoryRoot, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const there = packages(hidden);
  return Object.entries(packages(join(repositoryRoot, 'package-lock.json'))).every(([path, locked]) => {
    if (path === '') return true;
    const found = there[path];
    return found === undefined ? locked.optional === true : found.version === locked.version;
  });
}
