import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { ContainerExit } from './describe-exit.js';
import { engineStatus } from './engine-error.js';

/** How often a wait that has said nothing is doubted: engines have lost the end of containers over their own restarts. */
const RECHECK_MS = 60_000;
const ENGINE_RETRY_MS = 1000;
const LAST_LINES = 5;

/**
 * Resolves when the container does not run any more: now, if it ended while nobody looked; undefined when it is gone altogether.
 * An engine that is down says nothing about its containers, so this waits for it to come back. Rejects when `signal` aborts.
 */
export async function waitForExit(
  docker: Docker,
  containerId: string,
  signal: AbortSignal,
): Promise<ContainerExit | undefined> {
  const container = docker.getContainer(containerId);
  for (;;) {
    signal.throwIfAborted();
    try {
      const { State: state } = await container.inspect({ abortSignal: signal });
      if (!state.Running && state.Status !== 'created' && state.Status !== 'restarting') {
        return {
          exitCode: state.ExitCode,
          wasOutOfMemory: state.OOMKilled,
          error: state.Error,
          lastLines: await readLastLines(container),
        };
      }
      const recheck = AbortSignal.timeout(RECHECK_MS);
      await container
        .wait({ condition: 'not-running', abortSignal: AbortSignal.any([signal, recheck]) })
        .catch((error: unknown) => {
          if (!recheck.aborted) throw error;
        });
    } catch (error) {
      signal.throwIfAborted();
      if (engineStatus(error) === 404) return undefined;
      await delay(ENGINE_RETRY_MS, undefined, { signal });
    }
  }
}

async function readLastLines(container: Docker.Container): Promise<string[]> {
  try {
    const raw = await container.logs({ stdout: true, stderr: true, tail: LAST_LINES, follow: false });
    return demultiplex(raw)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-LAST_LINES);
  } catch {
    return [];
  }
}

/** Without a terminal the engine frames each piece: one byte of stream, three of nothing, four of length. */
export function demultiplex(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length;) {
    const end = at + 8 + raw.readUInt32BE(at + 4);
    pieces.push(raw.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(pieces).toString('utf8');
}
