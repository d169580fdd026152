import type { CliContext } from '../terminal/context.js';

const REFRESH_MS = 2_000;

/**
 * Shows a rendered text and draws it again as it changes, until Ctrl-C (which is how a watch ends, so the exit code is 0).
 * Off a terminal each change is printed below the last.
 */
export async function watchText(
  context: CliContext,
  render: () => Promise<string>,
  refreshMs = REFRESH_MS,
): Promise<void> {
  const stopped = new AbortController();
  process.once('SIGINT', () => stopped.abort());
  let before: string | undefined;
  while (!stopped.signal.aborted) {
    const text = await render();
    if (text !== before) {
      process.stdout.write(context.stdoutIsTty ? `\u001b[H\u001b[2J\u001b[3J${text}\n` : `${text}\n`);
      before = text;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, refreshMs);
      stopped.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}
