import type { Duplex } from 'node:stream';
import type { SshConnection, SshTarget } from '@dstack/ssh';
import { type After, openInTime } from './open-in-time.js';
import { reconnectDelay } from './reconnect-delay.js';
import type { ReplicaWay } from './replica-way.js';
import type { Tunnel, TunnelParts } from '../tunnels/tunnel.js';

export interface SshHostTools {
  /** Null: there is no way for one. Whoever asks closes it. */
  readonly tunnel: (
    target: SshTarget,
    remote: HostPlace,
    replica: Pick<TunnelParts, 'probe' | 'changed'>,
  ) => Tunnel | null;
  readonly connect: (target: SshTarget, signal: AbortSignal) => Promise<SshConnection>;
  readonly after: After;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What a host opens of itself. */
export type HostPlace =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** One SSH connection to a host for one place there, made again whenever it breaks, until it is closed. */
export class SshHost implements ReplicaWay {
  private connection: SshConnection | null = null;
  private failures = 0;
  private timer: { cancel(): void } | null = null;
  private readonly ended = new AbortController();
  private readonly listeners = new Set<() => void>();
  tunnel: Tunnel | null = null;
  private target: SshTarget;
  /** Of the last try, or of what broke; null while it stands, and before the first try ended. */
  problem: string | null = null;

  constructor(
    target: SshTarget,
    private readonly remote: HostPlace,
    private readonly tools: SshHostTools,
  ) {
    this.target = target;
    void this.connect();
  }

  get isReady(): boolean {
    return this.connection !== null;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async open(): Promise<Duplex> {
    const { connection, remote } = this;
    if (connection === null) throw new Error(this.problem ?? 'the host is not connected');
    const opening =
      remote.kind === 'tcp' ? connection.openTcp(remote.host, remote.port) : connection.openUnix(remote.path);
    return openInTime(opening, this.tools.after, 'the host did not open the replica’s port');
  }

  close(): void {
    this.tunnel?.close();
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
      this.tunnel ??= this.makeTunnel(connection);
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

  /** Now that the keys of its hosts are known. */
  private makeTunnel({ jumpHostKey }: SshConnection): Tunnel | null {
    const { jump } = this.target;
    const seen = jump === null ? null : { ...jump, pinnedHostKey: jump.pinnedHostKey ?? jumpHostKey };
    return this.tools.tunnel({ ...this.target, jump: seen }, this.remote, {
      probe: async () => void (await this.open()).on('error', () => undefined).destroy(),
      changed: () => this.changed(this.problem),
    });
  }

  private changed(problem: string | null): void {
    this.problem = problem;
    for (const listener of [...this.listeners]) listener();
  }
}
