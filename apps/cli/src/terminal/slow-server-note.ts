import type { SlowRequest } from '@dstack/sdk';
import type { CliContext } from './context.js';

/** A command that waits asks more than once; who reads needs it once a minute. */
const QUIET_MS = 60_000;
const LINE_START = '\r\u001b[2K';

/** Tells on stderr, in scripts too, that it is the server that a command waits for. */
export function slowServerNote(
  { stderrIsTty, now }: Pick<CliContext, 'stderrIsTty' | 'now'>,
  write: (text: string) => void = (text) => void process.stderr.write(text),
): (request: SlowRequest) => void {
  let toldAt: number | undefined;
  return ({ url, waitedMs, timeoutMs }) => {
    if (toldAt !== undefined && now() - toldAt < QUIET_MS) return;
    toldAt = now();
    // A status line that turns meanwhile is drawn again below.
    const start = stderrIsTty ? LINE_START : '';
    write(`${start}${url} has not answered for ${waitedMs / 1000} s; waiting for up to ${timeoutMs / 1000} s.\n`);
  };
}
