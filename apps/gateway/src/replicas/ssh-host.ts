import type { Duplex } from 'node:stream';
import type { GatewayReplica } from '@dstack/gateway-protocol';
import type { SshConnection, SshTarget } from '@dstack/ssh';
import { reconnectDelay } from './reconnect-delay.js';

export interface SshHostTools {
  readonly connect: (target: SshTarget, signal: AbortSignal) => Promise<SshConnection>;
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  /** In [0, 1). */
  readonly random: () => number;
}

/** A replica behind a connection that hangs is given up for another one. */
const CHANNEL_MS = 5_000;

/** One SSH connection to a host, made again whenever it breaks, until it is closed. */
export class SshHost {
  private connection: SshConnection | null = null;
  private failures = 0;
  private timer: { cancel(): void } | null = null;
  private readonly ended = new AbortController();
  private readonly listeners = new Set<() => void>();
  private target: SshTarget;
  /** Of the last try, or of what broke; null while it stands, and before the first try ended. */
  problem: string | null = null;

  constructor(
    target: SshTarget,
    private readonly tools: SshHostTools,
  ) {
    this.target = target;
    void this.connect();
  }

  get isReady(): boolean {
    return this.connection !== null;
  }

  /** Called whenever `isReady` or `problem` changed. Gives how to stop it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @throws when it cannot, in words for a person */
  async open(remote: GatewayReplica['remote']): Promise<Duplex> {
    const { connection } = this;
    if (connection === null) throw new Error(this.problem ?? 'the host is not connected');
    const opening =
      remote.kind === 'tcp' ? connection.openTcp(remote.host, remote.port) : connection.openUnix(remote.path);
    return inTime(opening, this.tools);
  }

  close(): void {
    this.ended.abort(new Error('nobody needs the host any more'));
    this.timer?.cancel();
    this.connection?.close();
    this.connection = null;
    this.listeners.clear();
  }

  private async connect(): Promise<void> {
    const { signal } = this.ended;
    try {
      const connection = await this.tools.connect(this.target, signal);
      if (signal.aborted) return connection.close();
      // Whoever answered first is whom we go on with.
      this.target = { ...this.target, pinnedHostKey: this.target.pinnedHostKey ?? connection.hostKey };
      this.connection = connection;
      this.failures = 0;
      this.changed(null);
      const error = await connection.closed;
      if (signal.aborted) return;
      this.connection = null;
      this.changed(error?.message ?? 'the connection was closed');
    } catch (error) {
      if (signal.aborted) return;
      this.failures += 1;
      this.changed(error instanceof Error ? error.message : String(error));
    }
    this.timer = this.tools.after(reconnectDelay(this.failures, this.tools.random()), () => void this.connect());
  }

  private changed(problem: string | null): void {
    this.problem = problem;
    for (const listener of [...this.listeners]) listener();
  }
}

function inTime(opening: Promise<Duplex>, { after }: SshHostTools): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = after(CHANNEL_MS, () => {
      isLate = true;
      reject(new Error(`the host did not open the replica's port within ${CHANNEL_MS / 1000} s`));
    });
    opening.then(
      (stream) => {
        timer.cancel();
        // A channel that comes when nobody waits for it any more.
        if (isLate) stream.on('error', () => undefined).destroy();
        else resolve(stream);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
