import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** argv that starts another program like this one. Never by `process.execPath` alone: in the self-contained folder that is the loader. */
export function selfCommand(): string[] {
  const here = fileURLToPath(import.meta.url);
  if (!here.endsWith('.cjs')) return [process.execPath, join(dirname(here), '..', 'main.js')];
  const lib = join(dirname(here), 'lib');
  const loader = existsSync(lib) ? readdirSync(lib).find((name) => /^ld-linux.*\.so\.\d+$/.test(name)) : undefined;
  if (loader === undefined) return [process.execPath, here];
  return [join(lib, loader), '--library-path', lib, join(dirname(here), 'node'), here];
}
