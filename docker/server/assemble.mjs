#!/usr/bin/env node
/**
 * Puts together what the image runs, in a folder of its own: the packages as they are published, with what they need and nothing that builds
 * them; the pinned Node; the agents. In a checkout that is built. Usage: assemble.mjs FOLDER
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const [to] = process.argv.slice(2);
if (to === undefined) throw new Error('Usage: assemble.mjs FOLDER');
const work = mkdtempSync(join(tmpdir(), 'dstack-image-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const { version } = JSON.parse(readFileSync(join(root, 'apps/server/package.json'), 'utf8'));
const tarballs = {};
for (const file of globSync('{apps,libs,libs/backends}/*/package.json', { cwd: root })) {
  const { name, private: isPrivate } = JSON.parse(readFileSync(join(root, file), 'utf8'));
  if (isPrivate) continue;
  const [packed] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', work, '-w', name], root),
  );
  tarballs[name] = `file:${join(work, packed.filename)}`;
}
mkdirSync(join(to, 'bin'), { recursive: true });
writeFileSync(
  join(to, 'package.json'),
  JSON.stringify({
    name: 'dstack-image',
    version,
    private: true,
    type: 'module',
    dependencies: tarballs,
    overrides: tarballs,
  }),
);
npm(['install', '--omit=dev', '--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], to);
writeFileSync(join(to, 'sbom.cdx.json'), npm(['sbom', '--sbom-format', 'cyclonedx', '--omit=dev', '--omit=peer'], to));
rmSync(join(to, 'package-lock.json'), { force: true });
// What only editors and debuggers read is a third of it, and what only compilers and other systems do is in SQLite's.
const prebuilt = `sqlite-native/prebuilds/${process.platform}-${process.arch}`;
const unread = globSync(['**/*.{map,d.ts,d.mts,d.cts}', 'sqlite-native/{deps,src}', 'sqlite-native/prebuilds/*'], {
  cwd: join(to, 'node_modules'),
});
for (const path of unread)
  if (!path.startsWith(prebuilt)) rmSync(join(to, 'node_modules', path), { recursive: true, force: true });

const node = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin/node');
cpSync(existsSync(node) ? node : process.execPath, join(to, 'bin/node'));
symlinkSync('../node_modules/@dstack/cli/bin/dstack.mjs', join(to, 'bin/dstack'));
for (const file of ['start', 'healthy.mjs']) cpSync(join(root, 'docker/server', file), join(to, 'bin', file));

const agents = join(to, 'agents');
mkdirSync(agents);
// Those of other architectures, where a release has put them.
for (const name of globSync('folder-*', { cwd: join(root, 'docker/server/agents') }))
  cpSync(join(root, 'docker/server/agents', name), join(agents, name), { recursive: true });
const own = join(root, 'apps/agent/dist/folder');
if (existsSync(own)) cpSync(own, join(agents, `folder-${process.arch}`), { recursive: true });
// It is in `agents` now.
rmSync(join(to, 'node_modules/@dstack/agent/dist/folder'), { recursive: true, force: true });
