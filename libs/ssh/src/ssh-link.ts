import { reconnectDelayMs } from './reconnect-delay.js';
import type { SshConnection } from './ssh-connection.js';
import { SshError } from './ssh-failure.js';

export type LinkState = { readonly state: 'up' } | { readonly state: 'down'; readonly error: Error };

export interface LinkWorld {
  readonly open: (signal: AbortSignal) => Promise<SshConnection>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly onState: (state: LinkState) => void;
}

/** The one connection to a host, opened again whenever it breaks, until `close`. */
export class SshLink {
  private readonly stop = new AbortController();
  private current: Promise<SshConnection>;

  constructor(private readonly world: LinkWorld) {
    this.current = this.connect();
  }

  /** The live connection; while there is none, the next one. @throws what ended the wait: the signal, or `close` */
  async connection(signal: AbortSignal): Promise<SshConnection> {
    signal.throwIfAborted();
    let cancel = (): void => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      cancel = () => reject(signal.reason as Error);
      signal.addEventListener('abort', cancel, { once: true });
    });
    try {
      return await Promise.race([this.current, aborted]);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  close(): void {
    this.stop.abort(new SshError('disconnected', 'the link to the host was closed'));
    this.current.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  private connect(): Promise<SshConnection> {
    const connecting = this.untilConnected();
    connecting.then(
      (connection) => this.watch(connection),
      () => undefined, // only `close` ends the tries; whoever waits is told by its own promise
    );
    return connecting;
  }

  private async untilConnected(): Promise<SshConnection> {
    const { signal } = this.stop;
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await this.world.open(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.world.onState({ state: 'down', error: error as Error });
        await this.world.sleep(reconnectDelayMs(attempt, this.world.random()), signal);
      }
    }
  }

  private watch(connection: SshConnection): void {
    this.world.onState({ state: 'up' });
    connection.closed
      .then((error) => {
        if (this.stop.signal.aborted) return;
        this.world.onState({
          state: 'down',
          error: error ?? new SshError('disconnected', 'the connection was closed'),
        });
        this.current = this.connect();
      })
      .catch(() => undefined);
  }
}
