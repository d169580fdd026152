// Bundles the command line for a fast start, into two files: what every command needs, and the configuration language, loaded by the commands
// that read configurations. The `dstack` program takes them when they are no older than the build; `npm run build` and `npm pack` make them.
import { rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundledLicences } from '../../../tools/ci/bundled-licences.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'bundle');

/** A module of Node imported by name is read to its last getter: of `node:http` that loads all of fetch, 20 ms. */
const builtins = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    const named = new RegExp(`^(node:)?(${builtinModules.join('|')})$`);
    onResolve({ filter: named }, ({ path }) => ({ path: path.replace(/^node:/, ''), namespace: 'builtin' }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }));
  },
};

/** Loaded when the first module that imports it runs. */
const coreApart = {
  name: 'core apart',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@dstack\/core$/ }, () => ({ path: 'core', namespace: 'apart' }));
    onLoad({ filter: /.*/, namespace: 'apart' }, () => ({ contents: "module.exports = requireApart('./core.cjs')" }));
  },
};

const options = {
  absWorkingDir: root,
  outdir: 'bundle',
  bundle: true,
  platform: 'node',
  target: 'node22',
  minify: true,
  keepNames: true, // errors are known by the names of their classes
  conditions: ['@dstack/source'],
  external: ['typescript'], // of oclif, for plugins written in it: there are none
  legalComments: 'none', // all in LICENSES.txt
  metafile: true,
  logLevel: 'warning',
};

rmSync(out, { recursive: true, force: true });
const built = await Promise.all([
  build({
    ...options,
    entryPoints: { core: '../../libs/core/src/index.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
  }),
  build({
    ...options,
    entryPoints: ['src/main.ts'],
    format: 'esm',
    plugins: [builtins, coreApart],
    banner: {
      js: "const requireApart = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
    },
  }),
]);
writeFileSync(
  join(out, 'LICENSES.txt'),
  bundledLicences(
    root,
    built.flatMap(({ metafile }) => Object.keys(metafile.inputs)),
  ),
);
