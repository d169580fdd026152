import { isForbidden } from '@dstack/ssh';
import { HostProblemError } from './host-problem.js';
import type { HostRequest } from './host-request.js';
import { judgeHost } from './judge-host.js';
import { noForwarding } from './no-forwarding.js';
import { probeHost } from './probe-host.js';
import type { ProbedHost } from './probed-host.js';

/** One look at a host that is to run jobs. @throws {HostProblemError} when it should not */
export async function examineHost(request: HostRequest, now: () => number): Promise<ProbedHost> {
  const { hostname, owner } = request;
  const [host, forwarding] = await Promise.all([probeHost(request), forwardsPorts(request)]);
  const verdict = judgeHost(host, { hostname, owner, now: now() });
  if (verdict !== null) throw new HostProblemError(verdict.problem, true, verdict.message);
  if (!forwarding) throw noForwarding(hostname, 'TCP ports', 'AllowTcpForwarding yes');
  return host;
}

/** Whether users will reach the ports of their jobs. Nothing need listen: sshd says whether it would try. */
async function forwardsPorts({ connection }: HostRequest): Promise<boolean> {
  try {
    const channel = await connection.openTcp('127.0.0.1', 9);
    channel.destroy();
    return true;
  } catch (error) {
    return !isForbidden(error);
  }
}
