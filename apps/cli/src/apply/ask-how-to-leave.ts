import type { Dstack } from '@dstack/sdk';
import type { CliContext } from '../terminal/context.js';
import { CancelledError, confirm } from '../terminal/prompt.js';
import { stopAndWait } from './stop-and-wait.js';

/** After Ctrl-C: stop the run, or leave it running. Without a terminal it is left running. */
export async function askHowToLeave(client: Dstack, context: CliContext, name: string): Promise<void> {
  const goesOn = `The run ${name} goes on. See it: dstack logs -f ${name}; stop it: dstack stop ${name}\n`;
  process.stderr.write('\n');
  if (!context.canAsk) {
    process.stderr.write(goesOn);
    return;
  }
  if (!(await wantsToStop(context, name))) {
    process.stderr.write(goesOn);
    return;
  }
  const second = new AbortController();
  const abortRun = () => {
    second.abort();
  };
  process.once('SIGINT', abortRun);
  try {
    await stopAndWait(client, context, name, second.signal);
    process.stderr.write('Stopped\n');
  } catch (error) {
    if (!second.signal.aborted) throw error;
    await client.runs.stop([name], { abort: true });
    process.stderr.write('Aborted\n');
  } finally {
    process.off('SIGINT', abortRun);
  }
}

/** Who does not answer, but presses Ctrl-C again, wants to be gone. */
async function wantsToStop(context: CliContext, name: string): Promise<boolean> {
  try {
    return await confirm(context, `Stop the run ${name} before detaching?`);
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    process.stderr.write('\n');
    return false;
  }
}
