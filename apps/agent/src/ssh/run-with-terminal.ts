import { constants } from 'node:os';
import type { ServerChannel } from 'ssh2';
import type { PtyProcess } from '../process/pty.js';
import { ChannelWriter } from './channel-writer.js';
import { finishChannel, hangUpWithChannel } from './run-piped.js';

/** What a process left in the background may still say after the shell is gone. */
const LAST_OUTPUT_MS = 300;

/** Joins a process with a terminal to a channel until both are done. */
export async function runWithTerminal(channel: ServerChannel, pty: PtyProcess): Promise<void> {
  const writer = new ChannelWriter(channel);
  hangUpWithChannel(channel, pty.pid, pty.exited);
  channel.on('data', (bytes: Buffer) => {
    pty.write(bytes);
  });
  channel.once('close', () => {
    pty.close();
  });
  const copied = writer.copy(pty.output);
  const status = await pty.exited;
  await Promise.race([copied, new Promise((resolve) => setTimeout(resolve, LAST_OUTPUT_MS))]);
  finishChannel(channel, status.signal === 0 ? status.code : (signalName(status.signal) ?? 128 + status.signal));
  pty.close();
}

function signalName(number: number): NodeJS.Signals | undefined {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] as NodeJS.Signals | undefined;
}
