import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'folder');

/** Why no container can be run here; undefined when one can. */
export function whyNoContainers(image: string): string | undefined {
  if (!existsSync(join(FOLDER, 'agent.cjs')))
    return 'the agent folder is not built (npm run build:folder -w @dstack/agent)';
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
  } catch {
    return 'no container engine answers';
  }
  try {
    execFileSync('docker', ['image', 'inspect', image], { stdio: 'ignore' });
  } catch {
    return `no image ${image} (tools/ci/make-test-images.sh)`;
  }
  return undefined;
}

/** `describe`, or the same skipped with its reason printed. */
export function describeInImage(image: string, title: string, body: () => void): void {
  const reason = whyNoContainers(image);
  if (reason === undefined) describe(title, body);
  else {
    process.stderr.write(`skipped: ${title}: ${reason}\n`);
    describe.skip(`${title} (${reason})`, body);
  }
}
