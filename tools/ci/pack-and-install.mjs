#!/usr/bin/env node
/**
 * Packs every public package, installs the tarballs into empty folders, and uses them there: `dstack --version`, the server with one
 * backend only, and `import`/`require` of `@dstack/sdk` under TypeScript's `nodenext` and `bundler`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'dstack-pack-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const sh = (command, args, cwd, options = {}) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });

for (const app of ['cli', 'server']) sh(process.execPath, [`apps/${app}/scripts/bundle.mjs`], root);
const tarballs = new Map();
for (const file of globSync('{apps,libs,libs/backends}/*/package.json', { cwd: root })) {
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8'));
  if (manifest.private) continue;
  const [packed] = JSON.parse(
    sh('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work, '-w', manifest.name], root),
  );
  tarballs.set(manifest.name, join(work, packed.filename));
}
console.log(`packed ${tarballs.size} packages`);

/** Installs the named packages and everything of ours they need, from the tarballs. */
function project(name, packages) {
  const folder = join(work, name);
  mkdirSync(folder);
  const needed = new Set();
  const add = (pkg) => {
    if (needed.has(pkg) || !tarballs.has(pkg)) return;
    needed.add(pkg);
    const manifest = JSON.parse(sh('tar', ['-xzOf', tarballs.get(pkg), 'package/package.json'], work));
    Object.keys(manifest.dependencies ?? {}).forEach(add);
  };
  packages.forEach(add);
  const dependencies = Object.fromEntries([...needed].map((pkg) => [pkg, `file:${tarballs.get(pkg)}`]));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, private: true, dependencies, overrides: dependencies }, null, 2),
  );
  sh('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  return folder;
}

const version = JSON.parse(readFileSync(join(root, 'apps/cli/package.json'), 'utf8')).version;

const cli = project('only-cli', ['@dstack/cli']);
const printed = sh(process.execPath, ['node_modules/@dstack/cli/bin/dstack.mjs', '--version'], cli).trim();
if (!printed.includes(version)) throw new Error(`dstack --version printed «${printed}», expected ${version}`);
console.log(`cli: ${printed}`);
if (!existsSync(join(cli, 'node_modules/@dstack/cli/bundle/main.js'))) throw new Error('the packed CLI has no bundle');
for (const [args, expected] of [
  [['ps'], 'No project is configured'],
  [['apply', '-f', 'none.dstack.yml'], 'none.dstack.yml does not exist'],
]) {
  const { stderr } = spawnSync(process.execPath, ['node_modules/@dstack/cli/bin/dstack.mjs', ...args], {
    cwd: cli,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: cli },
  });
  if (!stderr.includes(expected)) throw new Error(`dstack ${args.join(' ')} said «${stderr}», expected: ${expected}`);
}

const sdk = project('only-sdk', ['@dstack/sdk']);
writeFileSync(
  join(sdk, 'import.mjs'),
  "import { Dstack } from '@dstack/sdk';\nif (typeof Dstack !== 'function') process.exit(1);\n",
);
writeFileSync(
  join(sdk, 'require.cjs'),
  "const { Dstack } = require('@dstack/sdk');\nif (typeof Dstack !== 'function') process.exit(1);\n",
);
writeFileSync(
  join(sdk, 'typed.ts'),
  "import { Dstack } from '@dstack/sdk';\nexport const make = (): Dstack => new Dstack({ url: 'http://127.0.0.1:3000', token: 't' });\n",
);
sh(process.execPath, ['import.mjs'], sdk);
sh(process.execPath, ['require.cjs'], sdk);
for (const [module, resolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]) {
  sh(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--types',
      'node',
      '--typeRoots',
      join(root, 'node_modules/@types'),
      '--target',
      'es2023',
      '--module',
      module,
      '--moduleResolution',
      resolution,
      'typed.ts',
    ],
    sdk,
  );
  console.log(`sdk: types resolve under ${resolution}`);
}

const server = project('one-backend', ['@dstack/server', '@dstack/backend-local', '@dstack/agent']);
const child = spawn(
  process.execPath,
  [
    '--input-type=module',
    '-e',
    "import { main } from '@dstack/server/main'; await main(['--host', '127.0.0.1', '--port', '0']);",
  ],
  {
    cwd: server,
    env: { ...process.env, DSTACK_SERVER_DIR: join(work, 'server-dir'), HOME: work },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  },
);
await new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error('the packed server did not come up in 30 s')), 30_000);
  child.once('exit', (code) => reject(new Error(`the packed server exited with ${code}`)));
  child.on('message', async ({ type, url }) => {
    if (type !== 'ready') return;
    clearTimeout(timer);
    const answer = await fetch(`${url}/api/server/get_info`, { method: 'POST' });
    console.log(`server with one backend: ${JSON.stringify(await answer.json())}`);
    child.removeAllListeners('exit');
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
});
console.log('all packages install and run from their tarballs');
