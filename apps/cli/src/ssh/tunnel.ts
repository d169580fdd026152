import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors/cli-error.js';
import type { ForwardedPort } from '../render/client-url.js';
import { LOCAL_COMMAND, READY_WORD } from './local-command.js';
import { lastLine, tunnelProblem } from './tunnel-problem.js';

export interface TunnelOptions {
  readonly alias: string;
  readonly configFile: string;
  readonly ports: readonly ForwardedPort[];
  readonly client: string;
  readonly signal: AbortSignal;
  readonly onConnection: (state: 'lost' | 'back') => void;
  /** Asked after a failed attempt: a job that has ended meanwhile is no failure. */
  readonly isWanted: () => Promise<boolean>;
}

const ATTEMPTS = 10;
const RETRY_MS = 1_000;
const READY_MS = 20_000;
/** A connection that is there again within this time is no news; and a job that ends is told as such. */
const UNNOTICED_MS = 4_000;

/** A connection through the user's OpenSSH with its forwarded ports, until closed; made again when it is lost. */
export class Tunnel {
  private child: ChildProcess | undefined;
  private closed = false;
  private words = '';

  private constructor(private readonly options: TunnelOptions) {}

  /** Undefined when it is not wanted any more. @throws {CliError} when it cannot be opened within some attempts, or never could be */
  static async open(options: TunnelOptions): Promise<Tunnel | undefined> {
    const tunnel = new Tunnel(options);
    for (let attempt = 1; attempt <= ATTEMPTS && !options.signal.aborted; attempt += 1) {
      if (await tunnel.connect()) {
        void tunnel.keepOpen();
        return tunnel;
      }
      if (!(await options.isWanted())) return undefined;
      const problem = tunnelProblem(tunnel.words, options.alias);
      if (problem) throw new CliError(`Failed to attach: ${problem.message}`, { hint: problem.hint });
      await wait(RETRY_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
    throw new CliError(`Failed to attach: ${lastLine(tunnel.words) || 'ssh gave no connection'}.`, {
      hint: `Try it by hand: ssh -F ${options.configFile} ${options.alias}`,
    });
  }

  close(): void {
    this.closed = true;
    this.child?.kill('SIGTERM');
  }

  /** True once it is connected; false when it has given up. */
  private async connect(): Promise<boolean> {
    this.words = '';
    const child = spawn(this.options.client, this.arguments(), {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      // It runs the local command with this; a user's own may be none that runs commands.
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    this.child = child;
    child.stderr.on('data', (chunk: Buffer) => (this.words = `${this.words}${chunk.toString('utf8')}`.slice(-4_000)));
    const isReady = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => settle(false), READY_MS);
      const settle = (ready: boolean) => {
        clearTimeout(timer);
        resolve(ready);
      };
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString('utf8').includes(READY_WORD)) settle(true);
      });
      child.once('error', (error) => {
        this.words = error.message;
        settle(false);
      });
      child.once('close', () => settle(false));
    });
    if (!isReady || this.closed) child.kill('SIGTERM');
    return isReady;
  }

  private async keepOpen(): Promise<void> {
    let noticed = false;
    while (!this.closed) {
      await gone(this.child);
      const notice = setTimeout(() => {
        if (this.closed) return;
        noticed = true;
        this.options.onConnection('lost');
      }, UNNOTICED_MS);
      while (!this.closed && !(await this.connect())) await wait(RETRY_MS);
      clearTimeout(notice);
      if (noticed && !this.closed) this.options.onConnection('back');
      noticed = false;
    }
  }

  private arguments(): string[] {
    const { alias, configFile, ports } = this.options;
    const settings = {
      BatchMode: 'yes',
      ConnectTimeout: '10',
      ExitOnForwardFailure: 'yes',
      ServerAliveInterval: '5',
      ServerAliveCountMax: '4',
      PermitLocalCommand: 'yes',
      LocalCommand: LOCAL_COMMAND,
    };
    return [
      '-F',
      configFile,
      '-N',
      ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...ports.flatMap((port) => ['-L', `${port.host}:${port.localPort}:localhost:${port.remotePort}`]),
      alias,
    ];
  }
}

function gone(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('close', () => resolve()));
}
