import { agentLetGo } from './agent-let-go.js';
import { HostProblemError } from './host-problem.js';
import { hostPaths } from './host-paths.js';
import type { HostRequest } from './host-request.js';
import { LET_GO, type LetGo, unlessLetGo } from './let-go-script.js';
import { runRootScript, type ScriptResult, wordsOf } from './run-script.js';

export interface Put {
  readonly letGo: LetGo;
  /** What is put there, and what names the host again: `fleet`. */
  readonly what: 'agent' | 'gateway';
  readonly namedIn: 'fleet' | 'gateway';
}

/** Runs what puts the agent on the host, as root. @throws {HostProblemError} `let-go` when the host is not the instance's any more */
export function putOnHost(request: HostRequest, script: string): Promise<ScriptResult> {
  const letGo = agentLetGo(hostPaths(request.owner), request.instance);
  return putUnlessLetGo(request, { letGo, what: 'agent', namedIn: 'fleet' }, script);
}

export async function putUnlessLetGo(
  request: HostRequest,
  { letGo, what, namedIn }: Put,
  script: string,
): Promise<ScriptResult> {
  const result = await runRootScript(request, unlessLetGo(letGo, script));
  if (result.exitCode !== LET_GO) return result;
  const message = `${request.hostname}: the host was let go while the ${what} was put there; nothing of it stays. Name it in a ${namedIn} to use it again`;
  throw new HostProblemError('let-go', true, message);
}

/** @throws {HostProblemError} `let-go`, or `agent-failed` with its own words when it exits with another code than 0 */
export async function mustPutOnHost(request: HostRequest, script: string, what: string): Promise<void> {
  const result = await putOnHost(request, script);
  if (result.exitCode === 0) return;
  throw new HostProblemError('agent-failed', false, `${request.hostname}: ${what} failed: ${wordsOf(result)}`);
}
