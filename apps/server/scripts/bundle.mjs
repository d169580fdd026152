// Puts the server's own modules into a few files: each file costs a start a fraction of a millisecond, and there are hundreds. Packages stay outside,
// those of this repository too: a backend that comes later shares them. `bin/main.mjs` takes the result while it is no older than the build.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

rmSync(join(root, 'bundle'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['dist/main.js'], // not the sources: esbuild does not emit what decorators tell of types
  outdir: 'bundle',
  bundle: true,
  splitting: true, // what is loaded later stays apart
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node22',
  keepNames: true, // migrations, modules and errors are known by the names of their classes
  logLevel: 'warning',
});
