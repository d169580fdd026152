import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.mjs';

/** Runs examples/hello through the CLI, as a user would; resolves with its exit code, which is the job's. */
export function runHello(progress, { node, server }) {
  progress.step('Submitting examples/hello.dstack.yml to this machine');
  const child = spawn(
    node,
    [
      join(repositoryRoot, 'apps/cli/bin/dstack.mjs'),
      'apply',
      '-y',
      '--force',
      '-f',
      'examples/hello.dstack.yml',
      '--project',
      'main',
    ],
    {
      cwd: repositoryRoot,
      env: { ...process.env, DSTACK_SERVER_URL: server.url, DSTACK_TOKEN: server.token },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      progress.step(code === 0 ? 'Run finished' : `Run finished with exit code ${code}`);
      resolve(code ?? 1);
    });
  });
}
