import { awaitAgent } from './await-agent.js';
import { examineHost } from './examine-host.js';
import { hostPaths } from './host-paths.js';
import type { OnboardedHost, OnboardRequest } from './host-request.js';
import { installAgent } from './install-agent.js';

/**
 * Makes a host that has just been connected to ready for jobs: looks at it, puts the agent there unless it is, starts it, and asks it
 * what the host has. What an interrupted call did is not done again.
 * @throws {HostProblemError}
 * @throws {SshError} when the connection breaks
 */
export async function onboardHost(request: OnboardRequest): Promise<OnboardedHost> {
  request.onProgress('check', '');
  const host = await examineHost(request, request.now);
  const { digest } = await installAgent(request, host);
  request.onProgress('inspect', '');
  const info = await awaitAgent(request);
  return { agentSocketPath: hostPaths(request.owner).socket, agentDigest: digest, info };
}
