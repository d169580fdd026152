// Builds the gateway's self-contained folder: a stripped node, one bundled file, and the loader and libraries they need, so that nothing
// but nginx has to be on the machine.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'dist', 'folder');
const require = createRequire(import.meta.url);

const ARCHITECTURES = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};
const { triplet, loader } = ARCHITECTURES[process.arch] ?? fail(`no gateway folder for ${process.arch}`);
const LIBRARIES = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  // Names are looked up by the system's rules.
  'libnss_dns.so.2',
  'libnss_files.so.2',
  'libresolv.so.2',
  'libstdc++.so.6',
  'libgcc_s.so.1',
];
const LICENCES = { libc6: 'glibc', 'libgcc-s1': 'libgcc', 'libstdc++6': 'libstdc++' };

function fail(message) {
  throw new Error(message);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'lib'), { recursive: true });

copyFileSync(nodeBinary(), join(out, 'node'));
chmodSync(join(out, 'node'), 0o755);
try {
  execFileSync('strip', [join(out, 'node')]);
} catch {
  console.warn('strip is not installed: the folder is about 15 MB larger than it need be');
}

await build({
  entryPoints: [join(root, 'src', 'main.ts')],
  outfile: join(out, 'gateway.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  minifySyntax: true,
  conditions: ['@dstack/source'],
  // The native halves of ssh2 are optional, and it goes on without them.
  external: ['*.node', 'cpu-features'],
  define: { 'import.meta.url': '__gateway_url' },
  banner: { js: "const __gateway_url = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});

for (const name of [loader, ...LIBRARIES]) copyFileSync(realpathSync(findLibrary(name)), join(out, 'lib', name));
chmodSync(join(out, 'lib', loader), 0o755);
writeFileSync(
  join(out, 'dstack-gateway'),
  `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/lib/${loader}" --library-path "$here/lib" "$here/node" "$here/gateway.cjs" "$@"
`,
);
chmodSync(join(out, 'dstack-gateway'), 0o755);
mkdirSync(join(out, 'licences'));
for (const [debian, name] of Object.entries(LICENCES)) {
  const copyright = `/usr/share/doc/${debian}/copyright`;
  if (existsSync(copyright)) copyFileSync(copyright, join(out, 'licences', name));
}

const version = execFileSync(join(out, 'dstack-gateway'), ['--version']);
console.log(`${out}: ${version.toString().trim()}, ${Math.round(size(out) / 1e6)} MB`);

/** The pinned one, not whatever runs this script. */
function nodeBinary() {
  try {
    return require.resolve(`node-linux-${process.arch}/bin/node`);
  } catch {
    return process.execPath;
  }
}

function findLibrary(name) {
  const found = [`/lib/${triplet}/${name}`, `/usr/lib/${triplet}/${name}`, `/lib64/${name}`, `/usr/lib64/${name}`].find(
    (path) => existsSync(path),
  );
  return found ?? fail(`${name} is not on this machine: build the folder on one with glibc`);
}

function size(dir) {
  return execFileSync('du', ['-sb', dir]).toString().split('\t')[0];
}
