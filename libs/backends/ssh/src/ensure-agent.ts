import { NOT_INSTALLED, startScript } from './agent-scripts.js';
import { askAgent, awaitAgent } from './await-agent.js';
import { hostPaths } from './host-paths.js';
import { HostProblemError } from './host-problem.js';
import type { HostRequest } from './host-request.js';
import { putOnHost } from './put-on-host.js';
import { wordsOf } from './run-script.js';

/**
 * Starts what is installed when nothing answers at the agent's socket: after the host was started anew, or its supervisor was killed.
 * @throws {HostProblemError} `agent-failed` also when nothing is installed
 */
export async function ensureAgent(request: HostRequest): Promise<void> {
  const answer = await askAgent(request, 10_000);
  if (!(answer instanceof Error)) return;
  const result = await putOnHost(request, startScript(hostPaths(request.owner)));
  if (result.exitCode === NOT_INSTALLED)
    throw new HostProblemError('agent-failed', false, `${request.hostname}: there is no agent on the host any more`);
  if (result.exitCode !== 0)
    throw new HostProblemError(
      'agent-failed',
      false,
      `${request.hostname}: starting the agent failed: ${wordsOf(result)}`,
    );
  await awaitAgent(request);
}
