#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Read by whatever Node there is, which may be too old for the program: no syntax newer than Node 12's in this file.
const [major, minor] = process.versions.node.split('.').map(Number);
const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else if (major > 24 || (major === 24 && minor >= 11) || (major === 22 && minor >= 19)) {
  run();
} else {
  runWithPinnedNode();
}

async function run() {
  if (process.env.NODE_ENV === undefined) process.env.NODE_ENV = 'production';
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const entry = programFile();
  if (existsSync(entry)) {
    const { main } = await import(entry.href);
    process.exitCode = await main(argv);
  } else {
    process.stderr.write('The command line is not built yet. In the checkout run: npm run build\n');
    process.exitCode = 1;
  }
}

/** The bundle, which starts three times as fast, unless something was built after it. An installed package has no build info. */
function programFile() {
  const builtAt = (path) => {
    const file = statSync(new URL(path, import.meta.url), { throwIfNoEntry: false });
    return file === undefined ? 0 : file.mtimeMs;
  };
  const bundledAt = builtAt('../bundle/main.js');
  const sources = ['../dist', '../../../libs/core/dist', '../../../libs/sdk/dist'];
  const isFresh = bundledAt > 0 && sources.every((path) => builtAt(`${path}/tsconfig.lib.tsbuildinfo`) <= bundledAt);
  return new URL(isFresh ? '../bundle/main.js' : '../dist/main.js', import.meta.url);
}

/** In a checkout the pinned Node lies in node_modules; a user's older one only has to start it. */
function runWithPinnedNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const pinned = [
    `../../../node_modules/${name}/bin/node`,
    `../node_modules/${name}/bin/node`,
    `../../../${name}/bin/node`,
  ]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (!pinned) {
    process.stderr.write(
      `Node ${process.versions.node} is too old for dstack: install Node 22.19 or newer (nodejs.org), then try again.\n`,
    );
    process.exitCode = 1;
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {}); // the child decides
  const child = spawnSync(pinned, [fileURLToPath(import.meta.url), ...argv], { stdio: 'inherit' });
  process.exitCode = child.status === null ? 1 : child.status;
}
