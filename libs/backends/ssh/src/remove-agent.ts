import { agentLetGo } from './agent-let-go.js';
import { hostPaths } from './host-paths.js';
import type { HostRequest } from './host-request.js';
import { HostProblemError } from './host-problem.js';
import { letGoScript, OTHERS } from './let-go-script.js';
import { runRootScript, runScript, wordsOf } from './run-script.js';
import { forgetKeysScript } from './uninstall-script.js';

/**
 * Lets the host go: ends the jobs of this installation there and removes all of its files. Where nothing is, nothing is done, and also where
 * another instance has the host by now. An installation for this instance that comes later does nothing either.
 */
export async function removeAgent(request: HostRequest): Promise<void> {
  const paths = hostPaths(request.owner);
  const result = await runRootScript(request, letGoScript(agentLetGo(paths, request.instance)));
  if (result.exitCode === OTHERS) return;
  if (result.exitCode !== 0)
    throw new HostProblemError(
      'agent-failed',
      false,
      `${request.hostname}: removing the agent failed: ${wordsOf(result)}`,
    );
  await runScript(request, forgetKeysScript(paths));
}
