// Puts what a start loads – the server's own modules, Nest, Fastify, TypeORM – into a few files: finding and opening each file costs a fraction of
// a millisecond, and there are 1,800. `bin/main.mjs` takes the result while it is no older than the build and the packages.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundledLicences } from '../../../tools/ci/bundled-licences.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'bundle');

const outside = [
  // Shared with backends, which come later: there is one of each.
  '@dstack/*',
  'zod',
  'yaml',
  // Runs before what uses it; in a bundle of several files that is certain only for what is imported.
  'reflect-metadata',
  'sqlite-native',
  // Loaded when they are needed, and large or CommonJS.
  'pg',
  'ssh2',
  '@aws-sdk/*',
  '@opentelemetry/*',
  '@sentry/core',
  'google-auth-library',
  'openid-client',
  '@fastify/cors',
  '@fastify/multipart',
  '@msgpack/msgpack',
  'class-transformer',
  'class-validator',
  // Of Nest, for what is not used: they are not installed.
  '@fastify/static',
  '@fastify/view',
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'class-transformer/storage',
];

rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['dist/main.js'], // not the sources: esbuild does not emit what decorators tell of types
  outdir: 'bundle',
  bundle: true,
  splitting: true, // what is loaded later stays apart
  external: outside,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  keepNames: true, // migrations, modules and errors are known by the names of their classes
  legalComments: 'none', // all in LICENSES.txt
  banner: {
    // For the packages among them that are CommonJS.
    js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
mustHaveNames(metafile.inputs);
writeFileSync(join(out, 'LICENSES.txt'), bundledLicences(root, Object.keys(metafile.inputs)));

/** In a bundle of several files `import()` of a CommonJS module gives its `default` only, and what is taken from it by name is undefined. */
function mustHaveNames(inputs) {
  for (const [from, { imports }] of Object.entries(inputs))
    for (const { path, kind, external } of imports)
      if (kind === 'dynamic-import' && !external && inputs[path]?.format !== 'esm')
        throw new Error(
          `${from} loads ${path}, which is CommonJS, when it is needed: name its package in \`outside\` (${import.meta.filename})`,
        );
}
