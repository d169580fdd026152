import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The real one; built before all tests. */
export const AGENT_FOLDER = fileURLToPath(new URL('../../../../../apps/agent/dist/folder', import.meta.url));

/** The same agent with another digest, as the next version has. */
export function nextAgentFolder(target: string): string {
  cpSync(AGENT_FOLDER, target, { recursive: true });
  writeFileSync(join(target, 'next'), 'the next version');
  return target;
}

/** Small, and no agent: starts a shell script instead, which is given the arguments of one. */
export function scriptedAgentFolder(target: string, script: string): string {
  mkdirSync(join(target, 'lib'), { recursive: true });
  writeFileSync(join(target, 'lib', 'ld-linux-x86-64.so.2'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return target;
}
