// The agent's own folder: with the PTY add-on, so that it runs in any image.
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFolder } from '../../../tools/ci/self-contained-folder.mjs';

const require = createRequire(import.meta.url);
const pty = createRequire(require.resolve('@lydell/node-pty')).resolve(
  `@lydell/node-pty-linux-${process.arch}/pty.node`,
);

await buildFolder({
  root: join(dirname(fileURLToPath(import.meta.url)), '..'),
  name: 'agent',
  libraries: ['libutil.so.1'],
  finish: (out) => copyFileSync(pty, join(out, 'pty.node')),
});
