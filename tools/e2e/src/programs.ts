import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

const pinned = join(repositoryRoot, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');

export const node = existsSync(pinned) ? pinned : process.execPath;
export const serverProgram = join(repositoryRoot, 'apps/server/bin/main.mjs');
export const cliProgram = join(repositoryRoot, 'apps/cli/bin/dstack.mjs');

/** Made by `npm run build:folder -w @dstack/agent`. */
export const agentFolder = join(repositoryRoot, 'apps/agent/dist/folder');

/** Made by `npm run build:folder -w @dstack/gateway`. */
export const gatewayFolder = join(repositoryRoot, 'apps/gateway/dist/folder');

/** Made by tools/ci/make-test-images.sh. */
export const TEST_IMAGE = 'dstack-test/debian';

/** Jobs in containers need an engine with the image, and the agent's folder. */
export function canRunContainers(): boolean {
  if (!existsSync(agentFolder)) return false;
  try {
    execFileSync('docker', ['image', 'inspect', TEST_IMAGE], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
