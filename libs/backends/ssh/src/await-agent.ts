import { setTimeout as delay } from 'node:timers/promises';
import { type AgentInfo, createAgentClient } from '@dstack/agent-protocol';
import { SshError } from '@dstack/ssh';
import { diagnoseScript } from './agent-scripts.js';
import { hostPaths } from './host-paths.js';
import { HostProblemError } from './host-problem.js';
import type { HostRequest } from './host-request.js';
import { noForwarding } from './no-forwarding.js';
import { runRootScript, runScript } from './run-script.js';

/** A cold start reads 100 MB from disk, and asks the GPUs' tools. */
const START_LIMIT_MS = 60_000;
const DIAGNOSE_EVERY_MS = 3_000;
const RETRY_MS = 100;
/** So often in a row it will not be better the next time. */
const FAILURES_ENOUGH = 3;

/** The answer of the agent at its socket, or what keeps it from giving one. */
export async function askAgent(request: HostRequest, deadlineMs: number): Promise<AgentInfo | Error> {
  const { connection, owner, signal } = request;
  let unopened: SshError | undefined;
  const connect = async () => {
    try {
      return await connection.openUnix(hostPaths(owner).socket);
    } catch (error) {
      if (error instanceof SshError) unopened = error;
      throw error;
    }
  };
  const client = createAgentClient({ connect, epoch: 0, deadlineMs });
  try {
    return await client.info(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (unopened?.kind === 'disconnected') throw unopened;
    return unopened ?? (error instanceof Error ? error : new Error(String(error)));
  } finally {
    client.close();
  }
}

/** @throws {HostProblemError} with the agent's last words when it does not answer for a minute, or never could */
export async function awaitAgent(request: HostRequest): Promise<AgentInfo> {
  const startedAt = performance.now();
  let diagnoseAt = DIAGNOSE_EVERY_MS;
  for (;;) {
    const answer = await askAgent(request, 10_000);
    if (!(answer instanceof Error)) return answer;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= diagnoseAt) {
      diagnoseAt = waitedMs + DIAGNOSE_EVERY_MS;
      await diagnose(request, { answer, isLate: waitedMs >= START_LIMIT_MS });
    }
    await delay(RETRY_MS, undefined, { signal: request.signal });
  }
}

async function diagnose(request: HostRequest, { answer, isLate }: { answer: Error; isLate: boolean }): Promise<void> {
  const { hostname, owner } = request;
  const { socket } = hostPaths(owner);
  const { stdout } = await runRootScript(request, diagnoseScript(hostPaths(owner)));
  const [listening = '', failures = '', ...log] = stdout.split('\n');
  if (listening === 'listening' && answer instanceof SshError) await blameForwarding(request, socket);
  if (!isLate && (listening === 'listening' || !(Number(failures) >= FAILURES_ENOUGH))) return;
  const words = log.join('\n').trim() || answer.message;
  throw new HostProblemError('agent-failed', false, `${hostname}: the agent does not start: ${words}`);
}

/** The agent listens and its user may open the socket, and yet no channel to it is opened. OpenSSH does not say why. */
async function blameForwarding(request: HostRequest, socket: string): Promise<void> {
  const { exitCode } = await runScript(request, `[ -w ${socket} ]`);
  if (exitCode === 0 && (await askAgent(request, 10_000)) instanceof SshError)
    throw noForwarding(request.hostname, 'unix sockets', 'AllowStreamLocalForwarding yes');
}
