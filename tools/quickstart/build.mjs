import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './run-quietly.mjs';
import { repositoryRoot } from './repository-root.mjs';

/**
 * Builds what changed since the last build (TypeScript project references are incremental). Where there is a Docker Engine, also the
 * agent's folder that jobs in containers need.
 */
export async function build(progress, node) {
  progress.step('Building');
  await runQuietly(node, [join(repositoryRoot, 'node_modules/typescript/bin/tsc'), '-b'], {
    hint: 'The build failed. If you changed the sources, the errors above say where; else run: npm run build',
  });
  if (process.platform === 'linux' && existsSync('/var/run/docker.sock')) {
    await runQuietly(node, [join(repositoryRoot, 'apps/agent/scripts/build-folder.mjs')], {
      hint: 'The folder with which the agent runs in containers could not be built.',
    });
  }
}
