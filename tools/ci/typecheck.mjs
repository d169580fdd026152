#!/usr/bin/env node
/** `npm run typecheck`: the tests' types too. A build looks at what ships only, and Jest takes types away without reading them. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const tsc = join(root, 'node_modules/typescript/bin/tsc');
let failed = 0;
for (const project of globSync('{apps,libs,libs/backends,tools}/*/tsconfig.spec.json', { cwd: root })) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project, '--noEmit'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
