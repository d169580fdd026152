import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Entry point beside this module: `main.js` in a build, the bundle itself in the agent's folder. */
export function agentMainPath(): string {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith('.cjs') ? here : join(dirname(here), 'main.js');
}

/** argv that starts another agent like this one. Never by `process.execPath` alone: in the agent's folder that is the loader. */
export function selfCommand(): string[] {
  const main = agentMainPath();
  return folderCommand(dirname(main)) ?? [process.execPath, main];
}

/** argv for the agent's self-contained folder mounted or unpacked at `dir`; undefined when that is not such a folder. */
export function folderCommand(dir: string, seenAs = dir): string[] | undefined {
  const lib = join(dir, 'lib');
  if (!existsSync(join(dir, 'node')) || !existsSync(lib)) return undefined;
  const loader = readdirSync(lib).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (loader === undefined) return undefined;
  return [
    join(seenAs, 'lib', loader),
    '--library-path',
    join(seenAs, 'lib'),
    join(seenAs, 'node'),
    join(seenAs, 'agent.cjs'),
  ];
}
