import { once } from 'node:events';
import type { ServerChannel } from 'ssh2';
import { ChannelWriter } from './channel-writer.js';
import { signalGroup } from './signal-group.js';
import type { Child } from './start-child.js';

/** Long enough for a clean-up at hang-up, short enough not to pile up processes. */
const HANG_UP_GRACE_MS = 5_000;

/** Joins a process with pipes to a channel until both are done. */
export async function runPiped(channel: ServerChannel, child: Child): Promise<void> {
  const writer = new ChannelWriter(channel);
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? signal ?? 1);
    });
    child.once('error', (error) => {
      void writer.write(Buffer.from(`cannot start: ${error.message}\r\n`), 'err').then(() => {
        resolve(127);
      });
    });
  });
  hangUpWithChannel(channel, child.pid, exited);
  child.stdin.on('error', () => {
    // It reads no more: what the client still sends is dropped, or its window would fill.
    channel.unpipe(child.stdin);
    channel.resume();
  });
  channel.pipe(child.stdin);
  const [status] = await Promise.all([exited, writer.copy(child.stdout, 'out'), writer.copy(child.stderr, 'err')]);
  finishChannel(channel, status);
}

/** When the client goes first, its process gets what a lost terminal would give it; who ignores that (nohup) may stay. */
export function hangUpWithChannel(channel: ServerChannel, pid: number | undefined, exited: Promise<unknown>): void {
  if (pid === undefined) return;
  let running = true;
  void exited.then(() => {
    running = false;
  });
  void once(channel, 'close').then(() => {
    if (!running) return;
    signalGroup(pid, 'SIGHUP');
    const timer = setTimeout(() => {
      if (running) signalGroup(pid, 'SIGKILL');
    }, HANG_UP_GRACE_MS);
    void exited.then(() => {
      clearTimeout(timer);
    });
  });
}

export function finishChannel(channel: ServerChannel, status: number | NodeJS.Signals): void {
  if (typeof status === 'number') channel.exit(status);
  else channel.exit(status.replace(/^SIG/, ''), false, '');
  channel.end();
}
