import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './run-quietly.mjs';
import { repositoryRoot } from './repository-root.mjs';

const at = (path) => join(repositoryRoot, path);

/**
 * Builds what changed since the last build (TypeScript project references are incremental), and on Linux the agent's folder, which
 * containers and hosts reached over SSH run.
 */
export function build(progress, node) {
  return progress.during('Building', () => buildWith(node));
}

async function buildWith(node) {
  await runQuietly(node, [at('node_modules/typescript/bin/tsc'), '-b'], {
    hint: 'The build failed. If you changed the sources, the errors above say where; else run: npm run build',
  });
  await runQuietly(node, [at('apps/cli/scripts/bundle.mjs')], { hint: 'The command line could not be bundled.' });
  if (process.platform !== 'linux' || isAgentFolderFresh()) return;
  await runQuietly(node, [at('apps/agent/scripts/build-folder.mjs')], {
    hint: 'The folder with which the agent runs in containers and on other hosts could not be built.',
  });
}

/** Building anew takes the folder away from the jobs that a server before this one left running. */
function isAgentFolderFresh() {
  const built = ['apps/agent', 'libs/agent-protocol', 'libs/core'].map((path) =>
    at(join(path, 'dist/tsconfig.lib.tsbuildinfo')),
  );
  const agent = at('apps/agent/dist/folder/agent.cjs');
  return existsSync(agent) && built.every((path) => statSync(path).mtimeMs <= statSync(agent).mtimeMs);
}
