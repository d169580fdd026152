import { setTimeout as wait } from 'node:timers/promises';
import { patiently } from '../apply/patiently.js';
import type { CliContext } from '../terminal/context.js';

const REFRESH_MS = 2_000;
const OUTAGE_MS = 120_000;

/**
 * Shows a rendered text and draws it again as it changes, until Ctrl-C (which is how a watch ends, so the exit code is 0), whatever the server is
 * still asked for then. A server that is away for a while is waited for. Off a terminal each change is printed below the last.
 */
export async function watchText(
  context: CliContext,
  render: () => Promise<string>,
  refreshMs = REFRESH_MS,
): Promise<void> {
  process.once('SIGINT', () => process.exit(0));
  let before: string | undefined;
  const patience = {
    signal: new AbortController().signal,
    outageMs: OUTAGE_MS,
    onConnection: (state: 'lost' | 'back') => {
      before = undefined; // what stands there is no longer the table alone
      if (state === 'lost') process.stderr.write('The server does not answer; trying again for 2 minutes.\n');
    },
  };
  for (;;) {
    const text = await patiently(render, patience);
    if (text !== before) {
      process.stdout.write(context.stdoutIsTty ? `\u001b[H\u001b[2J\u001b[3J${text}\n` : `${text}\n`);
      before = text;
    }
    await wait(refreshMs);
  }
}
