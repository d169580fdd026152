import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The tests run the built gateway as real processes. */
export default function build() {
  const project = fileURLToPath(new URL('../../tsconfig.lib.json', import.meta.url));
  const tsc = fileURLToPath(new URL('../../../../node_modules/typescript/bin/tsc', import.meta.url));
  execFileSync(process.execPath, [tsc, '-b', project], { stdio: 'inherit' });
}
