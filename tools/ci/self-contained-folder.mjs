// Builds the self-contained folder of a program: a stripped node, one bundled file, and the loader and libraries they need, so that it runs
// on any Linux of this architecture, whatever libc that has (or none).
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);

const ARCHITECTURES = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};
const LIBRARIES = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'libresolv.so.2',
  'libstdc++.so.6',
  'libgcc_s.so.1',
];
const LICENCES = { libc6: 'glibc', 'libgcc-s1': 'libgcc', 'libstdc++6': 'libstdc++' };

/**
 * In `dist/folder` of the package.
 * @param {{ root: string, name: string, libraries?: string[], finish?: (out: string, loader: string) => void }} program
 *   `name.cjs` is its bundle; `finish` puts there what it alone has
 */
export async function buildFolder({ root, name, libraries = [], finish = () => {} }) {
  const folder = join(root, 'dist', 'folder');
  const out = `${folder}.${process.pid}`;
  const { triplet, loader } = ARCHITECTURES[process.arch] ?? fail(`no ${name} folder for ${process.arch}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'lib'), { recursive: true });
  copyNode(join(out, 'node'));
  await bundle(join(root, 'src', 'main.ts'), join(out, `${name}.cjs`), `__${name}_url`);
  for (const library of [loader, ...LIBRARIES, ...libraries])
    copyFileSync(realpathSync(findLibrary(library, triplet)), join(out, 'lib', library));
  chmodSync(join(out, 'lib', loader), 0o755);
  copyLicences(join(out, 'licences'));
  finish(out, loader);

  const run = ['--library-path', join(out, 'lib'), join(out, 'node'), join(out, `${name}.cjs`), '--version'];
  const version = execFileSync(join(out, 'lib', loader), run)
    .toString()
    .trim();
  const [bytes] = execFileSync('du', ['-sb', out]).toString().split('\t');
  replace(folder, out);
  console.log(`${folder}: ${version}, ${Math.round(bytes / 1e6)} MB`);
}

/** By renaming: whoever looks meanwhile finds the one before, or this one. */
function replace(folder, by) {
  const former = `${by}.former`;
  if (existsSync(folder)) renameSync(folder, former);
  renameSync(by, folder);
  rmSync(former, { recursive: true, force: true });
}

/** The pinned one, not whatever runs this script. */
function copyNode(to) {
  let from = process.execPath;
  try {
    from = require.resolve(`node-linux-${process.arch}/bin/node`);
  } catch {
    // Where none is pinned, the one at hand has to do.
  }
  copyFileSync(from, to);
  chmodSync(to, 0o755);
  try {
    execFileSync('strip', [to]);
  } catch {
    console.warn('strip is not installed: the folder is about 15 MB larger than it need be');
  }
}

function bundle(entry, outfile, ownUrl) {
  return build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    conditions: ['@dstack/source'],
    // The native halves of ssh2 are optional, and it goes on without them.
    external: ['*.node', 'cpu-features'],
    define: { 'import.meta.url': ownUrl },
    banner: { js: `const ${ownUrl} = require('node:url').pathToFileURL(__filename).href;` },
    logLevel: 'warning',
  });
}

function findLibrary(name, triplet) {
  const places = [`/lib/${triplet}`, `/usr/lib/${triplet}`, '/lib64', '/usr/lib64'];
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
  return found ?? fail(`${name} is not on this machine: build the folder on one with glibc`);
}

function copyLicences(to) {
  mkdirSync(to);
  for (const [debian, name] of Object.entries(LICENCES)) {
    const copyright = `/usr/share/doc/${debian}/copyright`;
    if (existsSync(copyright)) copyFileSync(copyright, join(to, name));
  }
}

function fail(message) {
  throw new Error(message);
}
