import { execFileSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../../../../', import.meta.url));
const bundle = join(repository, 'apps/agent/dist/folder/agent.cjs');

/** The tests put the real agent on hosts: of the sources as they are. Before all of them, as they may run side by side. */
export default function buildAgentFolder() {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return;
  const sources = globSync('{apps/agent,libs/agent-protocol,libs/core}/src/**/*.ts', { cwd: repository });
  const builtAt = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  if (sources.every((path) => statSync(join(repository, path)).mtimeMs <= builtAt)) return;
  execFileSync('npm', ['run', '--silent', 'build:folder', '-w', '@dstack/agent'], {
    cwd: repository,
    stdio: 'inherit',
  });
}
