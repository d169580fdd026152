import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { agentFolder, repositoryRoot } from './programs.js';

const AGENT_IMAGE = 'dstack-test/agent';

/** The agent's own image, of what is built now. */
export function buildAgentImage(): string {
  const dockerfile = join(repositoryRoot, 'apps/agent/Dockerfile');
  execFileSync('docker', ['build', '-q', '-t', AGENT_IMAGE, '-f', dockerfile, agentFolder], { stdio: 'pipe' });
  return AGENT_IMAGE;
}
