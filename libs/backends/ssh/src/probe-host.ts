import { HostProblemError } from './host-problem.js';
import { hostPaths } from './host-paths.js';
import type { HostRequest } from './host-request.js';
import { parseProbe, type ProbedHost } from './probed-host.js';
import { probeScript } from './probe-script.js';
import { runScript, wordsOf } from './run-script.js';

/** What is on the host, whatever one may think of it. @throws {HostProblemError} when it does not tell */
export async function probeHost(request: HostRequest): Promise<ProbedHost> {
  const { hostname, owner } = request;
  const result = await runScript(request, probeScript(hostPaths(owner)));
  const host = parseProbe(result.stdout);
  if (host.kernel === '')
    throw new HostProblemError(
      'not-linux',
      true,
      `${hostname}: no POSIX shell answers there (${wordsOf(result)}). It must be a Linux host, and its user must have a usual login shell`,
    );
  if (result.exitCode === 0) return host;
  throw new HostProblemError('agent-failed', false, `${hostname}: looking at the host failed: ${wordsOf(result)}`);
}
