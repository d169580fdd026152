import { once } from 'node:events';
import * as net from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey } from 'ssh2';
import { judgeKey, parseAuthorizedKeys } from '../ssh/authorized-keys.js';
import { joinStreams } from '../ssh/join-streams.js';
import { letsIn, type SshPlace } from './lets-in.js';

const LOGIN_GRACE_MS = 20_000;
const CONNECT_LIMIT_MS = 15_000;
const KEEPALIVE_MS = 30_000;
const MAX_CONNECTIONS = 1_000;
const MAX_QUESTIONS = 50;
/** How long an admission is remembered; refusals are not. */
const REMEMBERED_MS = 60_000;

export interface JumpOptions {
  readonly hostKey: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** The only port it leads to. */
  readonly targetPort: number;
  readonly now: () => number;
  readonly asks?: (place: SshPlace, key: ParsedKey) => Promise<boolean>;
}

export interface RunningJump {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The way to pods from outside their cluster: an SSH server that forwards, and nothing else. It knows no keys of its own: whoever proves to
 * hold a key is led to the agents that would let that key in, and to nobody else. So the keys of people need not be brought here.
 */
export async function startJumpServer(options: JumpOptions): Promise<RunningJump> {
  const { hostKey, listen, targetPort } = options;
  const admissions = new Admissions(options);
  const ssh = new ssh2.Server({ hostKeys: [hostKey], ident: 'dstack', keepaliveInterval: KEEPALIVE_MS });
  const sockets = new Set<net.Socket>();
  const listener = net.createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  ssh.on('connection', (client) => {
    client.on('error', () => undefined);
    identify(client, (key) => {
      client.on('tcpip', (accept, reject, { destIP: host, destPort: port }) => {
        if (port !== targetPort) {
          reject();
          return;
        }
        void admissions.admits({ host, port }, key).then((admitted) => {
          if (admitted) forward({ host, port }, accept, reject);
          else reject();
        });
      });
    });
  });
  listener.listen(listen.port, listen.host);
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    close: async () => {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Anybody who holds the private half of a key, by any name. What that is worth is decided where they want to go. */
function identify(client: Connection, onIdentified: (key: ParsedKey) => void): void {
  const grace = setTimeout(() => {
    client.end();
  }, LOGIN_GRACE_MS);
  client.once('close', () => {
    clearTimeout(grace);
  });
  client.on('authentication', (context: AuthContext) => {
    if (context.method !== 'publickey') {
      context.reject(['publickey']);
      return;
    }
    const { key: shown, signature, blob, hashAlgo } = context;
    const keys = parseAuthorizedKeys([`${shown.algo} ${shown.data.toString('base64')}`]);
    const verdict = judgeKey(
      {
        algorithm: shown.algo,
        blob: shown.data,
        hashAlgorithm: hashAlgo,
        proof: signature === undefined || blob === undefined ? undefined : { signed: blob, signature },
      },
      keys,
    );
    const [key] = keys;
    if (verdict.outcome === 'refused' || key === undefined) {
      context.reject(['publickey']);
      return;
    }
    if (verdict.outcome === 'accepted') {
      clearTimeout(grace);
      onIdentified(key);
    }
    context.accept();
  });
}

/** Who may go where, by the word of the place itself. */
class Admissions {
  private readonly until = new Map<string, number>();
  private asking = 0;

  constructor(private readonly options: Pick<JumpOptions, 'now' | 'asks'>) {}

  async admits(place: SshPlace, key: ParsedKey): Promise<boolean> {
    const { now, asks = letsIn } = this.options;
    const known = `${place.host} ${place.port} ${key.getPublicSSH().toString('base64')}`;
    if ((this.until.get(known) ?? 0) > now()) return true;
    this.until.delete(known);
    if (this.asking >= MAX_QUESTIONS) return false;
    this.asking += 1;
    try {
      const admitted = await asks(place, key);
      if (admitted) this.until.set(known, now() + REMEMBERED_MS);
      return admitted;
    } finally {
      this.asking -= 1;
    }
  }
}

function forward({ host, port }: SshPlace, accept: () => ssh2.ServerChannel, reject: () => void): void {
  const target = net.connect({ host, port, noDelay: true, allowHalfOpen: true });
  const timer = setTimeout(() => {
    target.destroy(new Error('timeout'));
  }, CONNECT_LIMIT_MS);
  target.once('error', reject);
  target.once('close', () => {
    clearTimeout(timer);
  });
  target.once('connect', () => {
    clearTimeout(timer);
    target.off('error', reject);
    // The client may have gone while we connected.
    const channel: ssh2.ServerChannel | undefined = accept();
    if (channel === undefined) target.destroy();
    else joinStreams(channel, target);
  });
}
