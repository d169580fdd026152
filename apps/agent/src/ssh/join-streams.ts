import type { Duplex } from 'node:stream';
import type { ServerChannel } from 'ssh2';
import { ChannelWriter } from './channel-writer.js';

/** Joins a forwarded channel and its target; each may stop sending while the other goes on. */
export function joinStreams(channel: ServerChannel, target: Duplex): void {
  const writer = new ChannelWriter(channel);
  let clientDone = false;
  channel.on('error', () => undefined);
  target.on('error', () => {
    channel.close();
  });
  channel.once('end', () => {
    clientDone = true;
  });
  channel.once('close', () => {
    target.destroy();
  });
  channel.pipe(target);
  void writer.copy(target).then(() => {
    // ssh2's end() would close the channel for the client's direction too.
    channel.eof();
    if (clientDone || target.destroyed) channel.close();
    else {
      channel.once('end', () => {
        channel.close();
      });
    }
  });
}
