import type { Duplex } from 'node:stream';
import { useLedConnection } from '@dstack/gateway-protocol';
import { type After, openInTime } from './open-in-time.js';
import type { ReplicaWay } from './replica-way.js';

/** A server that comes back within this time was not away. */
const AWAY_MS = 5_000;
const AWAY = 'the server, through which the replica is reached, is not connected to the gateway';

/** The way to replicas to which only the server comes: over connections that it has asked for before they are wanted. */
export class ServerLead {
  /** Oldest first, with how each is listened to no more. */
  private readonly waiting = new Map<Duplex, () => void>();
  private readonly wanted = new Set<(stream: Duplex) => void>();
  private readonly listeners = new Set<() => void>();
  private inUse = 0;
  private absence: { cancel(): void } | null = null;
  private isOver = false;
  isThere = false;
  /** Of all replicas. */
  problem: string | null = null;

  constructor(private readonly after: After) {}

  /** The server waits there for somebody to be led. */
  take(stream: Duplex): void {
    if (this.isOver) return void stream.destroy();
    stream.on('error', () => undefined);
    this.absence?.cancel();
    this.absence = null;
    const [want] = this.wanted;
    if (want === undefined) this.keep(stream);
    else want(stream);
    this.tell(true, null);
  }

  to(replicaId: string): { readonly way: ReplicaWay; readonly release: () => void } {
    if (!this.isThere) this.expect();
    return { way: new LedWay(this, replicaId), release: () => undefined };
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async open(replicaId: string): Promise<Duplex> {
    const stream = await this.next();
    return openInTime(useLedConnection(stream, replicaId), this.after, 'the server did not lead to the replica').catch(
      (error: unknown) => {
        stream.destroy();
        throw error;
      },
    );
  }

  /** Another program serves now: what waits goes there, what is in use goes on. */
  handOver(): void {
    this.isOver = true;
    this.absence?.cancel();
    for (const stream of this.waiting.keys()) stream.destroy();
  }

  private keep(stream: Duplex): void {
    const leave = (): void => {
      this.waiting.delete(stream);
      stream.destroy();
      this.expect();
    };
    // Whoever is not read is not heard to leave.
    stream.once('end', leave).once('close', leave).resume();
    this.waiting.set(stream, () => stream.off('end', leave).off('close', leave).pause());
  }

  private async next(): Promise<Duplex> {
    const [found] = this.waiting;
    const stream = found?.[0] ?? (await this.want());
    found?.[1]();
    this.waiting.delete(stream);
    this.inUse += 1;
    stream.once('close', () => {
      this.inUse -= 1;
      this.expect();
    });
    return stream;
  }

  private want(): Promise<Duplex> {
    let want = (_stream: Duplex): void => undefined;
    const coming = new Promise<Duplex>((resolve) => {
      want = (stream) => {
        this.wanted.delete(want);
        resolve(stream);
      };
      this.wanted.add(want);
    });
    return openInTime(coming, this.after, 'the server took no more connections').finally(() =>
      this.wanted.delete(want),
    );
  }

  /** Nothing waits, and nothing is in use: it has gone, unless it comes soon. */
  private expect(): void {
    if (this.waiting.size + this.inUse > 0 || this.isOver || this.absence !== null) return;
    this.absence = this.after(AWAY_MS, () => {
      this.absence = null;
      this.tell(false, AWAY);
    });
  }

  private tell(isThere: boolean, problem: string | null): void {
    if (this.isThere === isThere && this.problem === problem) return;
    this.isThere = isThere;
    this.problem = problem;
    for (const listener of [...this.listeners]) listener();
  }
}

class LedWay implements ReplicaWay {
  readonly tunnel = null;

  constructor(
    private readonly lead: ServerLead,
    private readonly replicaId: string,
  ) {}

  get isReady(): boolean {
    return this.lead.isThere;
  }

  get problem(): string | null {
    return this.lead.problem;
  }

  onChange(listener: () => void): () => void {
    return this.lead.onChange(listener);
  }

  open(): Promise<Duplex> {
    return this.lead.open(this.replicaId);
  }
}
