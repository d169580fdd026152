import { once } from 'node:events';
import { chmod, lstat, rm } from 'node:fs/promises';
import * as net from 'node:net';
import ssh2, { type ClientInfo, type Connection } from 'ssh2';
import { authenticate } from './authenticate.js';
import { fingerprints } from './authorized-keys.js';
import { forwardTcp } from './forward-tcp.js';
import { forwardUnix } from './forward-unix.js';
import { loadHostKey } from './host-key.js';
import { createLogEndpoint } from './log-endpoint.js';
import type { JobSshOptions, RunningJobSsh, SessionPlace, SshConnectionInfo } from './options.js';
import { reverseForward } from './reverse-forward.js';
import { serveVisitor } from './serve-visitor.js';
import { serveSession } from './session.js';
import { signalGroup } from './signal-group.js';

const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TRIES = 4;
const LOG_DRAIN_MS = 10_000;
const GOODBYE_MS = 1_000;

/** The job's own SSH server: shells, commands, SFTP and forwarding as the job's user, in any image. */
export async function startJobSshServer(options: JobSshOptions): Promise<RunningJobSsh> {
  const { authorizedKeys, agentKeys = [], session, log } = options;
  const place = typeof session === 'function' ? session : (): SessionPlace => session;
  const door = options.door ?? ((): undefined => undefined);
  const jobKeys = typeof authorizedKeys === 'function' ? authorizedKeys : (): readonly string[] => authorizedKeys;
  const agentPrints = new Set(fingerprints(agentKeys));
  const connections = new Set<SshConnectionInfo>();
  const clients = new Set<Connection>();
  const visitors = new Set<Connection>();
  const sockets = new Set<net.Socket>();
  const leaders = new Set<number>();
  const logEndpoint = createLogEndpoint(options);

  const ssh = new ssh2.Server({
    hostKeys: [await loadHostKey(options.hostKeyFile)],
    // ssh2's client forwards unix sockets only to what says it is OpenSSH 5 or later; the extension is the same here.
    ident: 'OpenSSH_9.9 dstack',
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVE_TRIES,
  });
  // Our own listener, as ssh2's leaves Nagle's algorithm on: 40 ms for each keystroke.
  const listener = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  const port = await listen(listener, options.listen);
  ssh.on('connection', (client, info) => {
    clients.add(client);
    // A client that vanishes is no failure of ours.
    client.on('error', () => undefined);
    let connection: SshConnectionInfo | undefined;
    client.once('close', () => {
      clients.delete(client);
      visitors.delete(client);
      if (connection === undefined) return;
      connections.delete(connection);
      options.onConnectionClosed?.(connection);
    });
    const owners = (): readonly string[] => [...jobKeys(), ...agentKeys];
    authenticate(
      client,
      () => [...owners(), ...(door()?.authorizedKeys ?? [])],
      (key) => {
        if (!fingerprints(owners()).includes(key)) {
          visitors.add(client);
          serveVisitor(client, door);
          return;
        }
        connection = { openedAt: options.now(), key };
        connections.add(connection);
        serveOwner(client, info, key);
      },
    );
  });
  const serveOwner = (client: Connection, info: ClientInfo, key: string): void => {
    const connectionEnv = describeConnection(info, options.listen, port);
    client.on('session', (accept, reject) => {
      const somewhere = place();
      if (somewhere === undefined) reject();
      else serveSession(accept(), { options, place: somewhere, connectionEnv, leaders });
    });
    forwardTcp(client, logEndpoint);
    forwardUnix(client, {
      place,
      childCommand: options.childCommand,
      agentSocketPath: options.agent?.socketPath,
      agent: () => (agentPrints.has(key) ? options.agent : undefined),
    });
    reverseForward(client, { place, socketDir: options.socketDir, log });
  };
  log(`ssh: listening on ${port === null ? 'a unix socket' : `port ${port}`}`);

  return {
    port,
    connections: () => [...connections],
    dismissVisitors: () => {
      for (const client of visitors) client.end();
    },
    close: async () => {
      const closed = once(listener, 'close');
      listener.close();
      await logEndpoint.drain(LOG_DRAIN_MS);
      for (const leader of leaders) signalGroup(leader, 'SIGKILL');
      for (const client of clients) client.end();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, GOODBYE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function listen(listener: net.Server, where: JobSshOptions['listen']): Promise<number | null> {
  if ('socketPath' in where) {
    const old = await lstat(where.socketPath).catch(() => undefined);
    if (old?.isSocket() === true) await rm(where.socketPath);
    listener.listen(where.socketPath);
    await once(listener, 'listening');
    await chmod(where.socketPath, 0o600);
    return null;
  }
  listener.listen(where.port, where.host);
  await once(listener, 'listening');
  const address = listener.address();
  return typeof address === 'object' && address !== null ? address.port : where.port;
}

/** As sshd says it; some tools tell by it that they are remote. */
function describeConnection(
  info: ClientInfo,
  where: JobSshOptions['listen'],
  port: number | null,
): Record<string, string> {
  if (port === null || 'socketPath' in where) return {};
  return {
    SSH_CONNECTION: `${info.ip} ${info.port} ${where.host} ${port}`,
    SSH_CLIENT: `${info.ip} ${info.port} ${port}`,
  };
}
