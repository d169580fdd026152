import { HostProblemError } from './host-problem.js';
import { hostPaths } from './host-paths.js';
import type { HostRequest } from './host-request.js';
import { LET_GO, unlessLetGo } from './let-go-script.js';
import { runRootScript, type ScriptResult, wordsOf } from './run-script.js';

/** Runs what puts something on the host, as root. @throws {HostProblemError} `let-go` when the host is not the instance's any more */
export async function putOnHost(request: HostRequest, script: string): Promise<ScriptResult> {
  const { owner, instance, hostname } = request;
  const result = await runRootScript(request, unlessLetGo(hostPaths(owner), instance, script));
  if (result.exitCode !== LET_GO) return result;
  const message = `${hostname}: the host was let go while the agent was put there; nothing of it stays. Name it in a fleet to use it again`;
  throw new HostProblemError('let-go', true, message);
}

/** @throws {HostProblemError} `let-go`, or `agent-failed` with its own words when it exits with another code than 0 */
export async function mustPutOnHost(request: HostRequest, script: string, what: string): Promise<void> {
  const result = await putOnHost(request, script);
  if (result.exitCode === 0) return;
  throw new HostProblemError('agent-failed', false, `${request.hostname}: ${what} failed: ${wordsOf(result)}`);
}
