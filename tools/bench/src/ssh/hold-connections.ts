import { openSshConnection, type SshTarget } from '@dstack/ssh';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A program of its own, as its memory is what is measured: holds connections to one sshd, as the server does to its hosts, and makes those that
 * break again. Told over IPC what to do; tells how many are open.
 */
export interface HoldOrder {
  readonly target: SshTarget;
  /** Beside those it holds already. */
  readonly count: number;
}

export interface HoldNews {
  readonly open: number;
  /** After a garbage collection. */
  readonly residentBytes: number;
}

const RETRY_MS = 200;

let open = 0;
let ordered = 0;
const never = new AbortController().signal;

process.on('message', (message) => {
  // The only message its parent sends.
  const order = message as HoldOrder;
  ordered += order.count;
  for (let index = 0; index < order.count; index += 1) void hold(order.target);
});

async function hold(target: SshTarget): Promise<void> {
  for (;;) {
    const connection = await openSshConnection(target, { signal: never }).catch(() => null);
    if (connection === null) {
      await sleep(RETRY_MS);
      continue;
    }
    open += 1;
    if (open === ordered) tell();
    await connection.closed;
    open -= 1;
    if (open === 0) tell();
  }
}

function tell(): void {
  globalThis.gc?.();
  const news: HoldNews = { open, residentBytes: process.memoryUsage.rss() };
  process.send?.(news);
}
