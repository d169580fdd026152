import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { ClientConnection } from './client-connection.js';
import { toConnectError } from './connect-error.js';
import { describeTarget } from './describe-target.js';
import { fingerprint, formatHostKey, hostKeyAlgorithms } from './host-key.js';
import { openSocket } from './open-socket.js';
import { checkPrivateKeys } from './private-keys.js';
import type { SshConnection } from './ssh-connection.js';
import { SshError } from './ssh-failure.js';
import type { SshTarget } from './ssh-target.js';
import { Turns } from './turns.js';

/**
 * A login costs milliseconds of one processor. When a thousand hosts come back at once and all log in together, none is done before its time
 * is up; hosts that do not even answer wait outside.
 */
const logins = new Turns(100);

const CONNECT_TIMEOUT_MS = 10_000;

export interface OpenOptions {
  readonly signal: AbortSignal;
  /** To be connected, and once more to be logged in; each hop: 10 s by default. */
  readonly connectTimeoutMs?: number;
  /** Three unanswered ones in a row end the connection: 10 s by default. */
  readonly keepAliveMs?: number;
}

/**
 * Connects and authenticates, through the jump hosts if there are any. The first key a host shows is told as `hostKey`, for the
 * caller to pin; with a pin, any other is refused before anything secret is sent.
 * @throws {SshError}
 */
export async function openSshConnection(target: SshTarget, options: OpenOptions): Promise<SshConnection> {
  const where = describeTarget(target);
  checkPrivateKeys(target.privateKeys, where);
  const jump = target.jump === null ? null : await openJump(target.jump, where, options);
  try {
    const { signal, connectTimeoutMs: timeoutMs = CONNECT_TIMEOUT_MS } = options;
    const socket =
      jump === null
        ? await openSocket(target, { where, signal, timeoutMs })
        : await jump.openTcp(target.host, target.port);
    return await logins.take(() => authenticate(target, socket, jump, options));
  } catch (error) {
    jump?.close();
    options.signal.throwIfAborted();
    throw toConnectError(error, where);
  }
}

async function openJump(jump: SshTarget, where: string, options: OpenOptions): Promise<SshConnection> {
  try {
    return await openSshConnection(jump, options);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    if (error.kind === 'host-key-changed') throw error;
    throw new SshError('jump-failed', `${where}: its jump host failed: ${error.message}`, { cause: error });
  }
}

function authenticate(
  target: SshTarget,
  socket: Duplex,
  jump: SshConnection | null,
  { signal, connectTimeoutMs = CONNECT_TIMEOUT_MS, keepAliveMs = 10_000 }: OpenOptions,
): Promise<SshConnection> {
  const where = describeTarget(target);
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let hostKey = '';
    let refusal: SshError | null = null;
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', abort);
      client.destroy();
      socket.destroy();
      reject(refusal ?? toConnectError(error, where));
    };
    const abort = (): void => {
      reject(signal.reason as Error);
      fail(signal.reason);
    };
    client.on('error', fail);
    const hungUp = (): void => fail(new SshError('unreachable', `${where} hung up before the login was complete`));
    client.once('close', hungUp);
    client.once('ready', () => {
      signal.removeEventListener('abort', abort);
      client.removeAllListeners();
      resolve(new ClientConnection({ client, socket, where, hostKey, jump }));
    });
    socket.once('error', fail);
    if (signal.aborted) return abort();
    if (socket.destroyed) return hungUp();
    signal.addEventListener('abort', abort, { once: true });
    client.connect({
      sock: socket,
      username: target.user,
      authHandler: target.privateKeys.map((key) => ({ type: 'publickey' as const, username: target.user, key })),
      hostVerifier: (blob: Buffer) => {
        hostKey = formatHostKey(blob);
        if (target.pinnedHostKey === null || target.pinnedHostKey === hostKey) return true;
        refusal = changedHostKey(where, target.pinnedHostKey, hostKey);
        return false;
      },
      ...(target.pinnedHostKey === null
        ? {}
        : { algorithms: { serverHostKey: hostKeyAlgorithms(target.pinnedHostKey) as ssh2.ServerHostKeyAlgorithm[] } }),
      readyTimeout: connectTimeoutMs,
      keepaliveInterval: keepAliveMs,
      keepaliveCountMax: 3,
    });
  });
}

function changedHostKey(where: string, pinned: string, shown: string): SshError {
  return new SshError(
    'host-key-changed',
    `${where} shows the host key ${fingerprint(shown)}, but had ${fingerprint(pinned)} before. Either the machine was installed anew ` +
      'or somebody is in between: if it is expected, remove the host and add it again',
  );
}
