import { awaitAgent } from './await-agent.js';
import type { HostRequest, OnboardRequest } from './host-request.js';
import { installAgent } from './install-agent.js';
import { probeHost } from './probe-host.js';

export type ReplaceRequest = HostRequest & Pick<OnboardRequest, 'bundle' | 'onProgress'>;

/** Puts another agent in the place of the one that runs. Jobs go on, and the new one adopts them. */
export async function replaceAgent(request: ReplaceRequest): Promise<{ readonly agentDigest: string }> {
  request.onProgress('check', '');
  const host = await probeHost(request);
  const { digest } = await installAgent({ ...request, env: null }, host);
  request.onProgress('inspect', '');
  await awaitAgent(request);
  return { agentDigest: digest };
}
