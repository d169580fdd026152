import { once } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import type { Connection, ServerChannel } from 'ssh2';
import { joinStreams } from './join-streams.js';
import type { AgentEndpoint, SessionPlace } from './options.js';
import { sessionDir } from './session-dir.js';
import { signalGroup } from './signal-group.js';
import { foreignIdentity, startHelper } from './start-child.js';

export interface UnixForwardOptions {
  readonly place: () => SessionPlace | undefined;
  readonly childCommand: readonly string[];
  /** Where its socket would be. */
  readonly agentSocketPath: string | undefined;
  /** Undefined: this client may not. */
  readonly agent: () => AgentEndpoint | undefined;
}

/** Connections to unix sockets, with the rights of the job's user: as root they would reach what the job may not (the host's own agent). */
export function forwardUnix(client: Connection, options: UnixForwardOptions): void {
  client.on('openssh.streamlocal', (accept, reject, info) => {
    const place = options.place();
    if (info.socketPath === options.agentSocketPath) {
      const agent = options.agent();
      if (agent === undefined) reject();
      else agent.serve(accept());
    } else if (place === undefined) reject();
    else {
      connectTo(place, options.childCommand, info.socketPath).then(
        (target) => {
          const channel: ServerChannel | undefined = accept();
          if (channel === undefined) target.destroy();
          else joinStreams(channel, target);
        },
        () => {
          reject();
        },
      );
    }
  });
}

async function connectTo(place: SessionPlace, childCommand: readonly string[], path: string): Promise<Duplex> {
  if (foreignIdentity(place) !== undefined) return connectAsJob(place, childCommand, path);
  const socket = net.connect({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** The helper writes one byte when it is connected, then relays. */
async function connectAsJob(place: SessionPlace, childCommand: readonly string[], path: string): Promise<Duplex> {
  const child = startHelper(place, childCommand, ['connect', path], sessionDir(place.cwd, place.home));
  child.stderr.resume();
  child.stdin.on('error', () => undefined);
  const exited = once(child, 'exit');
  await Promise.race([
    once(child.stdout, 'readable'),
    exited.then(() => Promise.reject(new Error(`cannot connect to ${path}`))),
  ]);
  if (child.stdout.read(1) === null) throw new Error(`cannot connect to ${path}`);
  const joined = Duplex.from({ readable: child.stdout, writable: child.stdin });
  joined.once('close', () => {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  });
  return joined;
}
