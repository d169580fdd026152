import type { Connection } from 'ssh2';
import { connectLocally } from '../job/connect-locally.js';
import { joinStreams } from './join-streams.js';
import type { PortDoor } from './options.js';

/** Whoever came in by a door: connections to its port while it is open. Nobody answers anything else that is asked for. */
export function serveVisitor(client: Connection, door: () => PortDoor | undefined): void {
  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    const port = door()?.port;
    if (port === undefined || destPort !== port || !LOOPBACK.includes(destIP)) {
      reject();
      return;
    }
    connectLocally(port).then((target) => {
      // The client may have gone while we connected.
      const channel: ReturnType<typeof accept> | undefined = accept();
      if (channel === undefined) target.destroy();
      else joinStreams(channel, target);
    }, reject);
  });
}

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
