import { type Dstack, isFinalRunStatus } from '@dstack/sdk';
import { CliError } from '../errors/cli-error.js';
import { runStatusText } from '../render/run-status.js';
import type { CliContext } from '../terminal/context.js';
import { Progress } from '../terminal/progress.js';

const LIMIT_MS = 10 * 60_000;

/** Stops a run and waits for its end. @throws {CliError} when it refuses to end */
export async function stopAndWait(
  client: Dstack,
  context: CliContext,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress(context, { clock: true });
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    progress.update(`Stopping ${name}`);
    await client.runs.stop([name], { signal });
    for await (const run of client.runs.handle(name).watch({ signal: AbortSignal.any([signal, limit]) }))
      if (!isFinalRunStatus(run.status)) progress.update(`Stopping ${name}: ${runStatusText(run)}`);
  } catch (error) {
    if (limit.aborted && !signal.aborted)
      throw new CliError(`Run ${name} is still stopping after 10 minutes.`, {
        hint: `Abort it: dstack stop -x ${name}`,
        cause: error,
      });
    throw error;
  } finally {
    progress.clear();
  }
}
