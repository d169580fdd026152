import { cpSync, writeFileSync } from 'node:fs';
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
