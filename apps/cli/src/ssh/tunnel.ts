import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors/cli-error.js';
import type { ForwardedPort } from '../render/client-url.js';

export interface TunnelOptions {
  readonly alias: string;
  readonly configFile: string;
  readonly ports: readonly ForwardedPort[];
  readonly client: string;
  readonly signal: AbortSignal;
}

const ATTEMPTS = 10;
const RETRY_MS = 1_000;
const READY_MS = 15_000;
const POLL_MS = 50;

/** Forwards ports through the user's OpenSSH until closed; started again when the connection is lost. */
export class Tunnel {
  private child: ChildProcess | undefined;
  private closed = false;
  private lastWords = '';

  private constructor(private readonly options: TunnelOptions) {}

  /** @throws {CliError} when it cannot be opened within some attempts */
  static async open(options: TunnelOptions): Promise<Tunnel> {
    const tunnel = new Tunnel(options);
    for (let attempt = 1; attempt <= ATTEMPTS && !options.signal.aborted; attempt += 1) {
      tunnel.start();
      if (await tunnel.isReady()) {
        tunnel.keepOpen();
        return tunnel;
      }
      tunnel.end();
      await wait(RETRY_MS);
    }
    throw new CliError(`Failed to attach: ${tunnel.lastWords.trim().split('\n').at(-1) || 'ssh gave no connection'}.`, {
      hint: `Try it by hand: ssh -F ${options.configFile} ${options.alias}`,
    });
  }

  close(): void {
    this.closed = true;
    this.end();
  }

  private start(): void {
    const { alias, configFile, ports, client } = this.options;
    const forwards = ports.flatMap((port) => ['-L', `${port.host}:${port.localPort}:localhost:${port.remotePort}`]);
    const args = [
      '-F',
      configFile,
      '-N',
      '-o',
      'BatchMode=yes',
      '-o',
      'ExitOnForwardFailure=yes',
      '-o',
      'ServerAliveInterval=15',
      ...forwards,
      alias,
    ];
    this.child = spawn(client, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.child.on('error', (error) => {
      this.lastWords = error.message;
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.lastWords = `${this.lastWords}${chunk.toString('utf8')}`.slice(-2_000);
    });
  }

  private async isReady(): Promise<boolean> {
    const child = this.child;
    const until = performance.now() + READY_MS;
    const [first] = this.options.ports;
    while (child && child.exitCode === null && child.signalCode === null && performance.now() < until) {
      if (!first || (await accepts(first))) return child.exitCode === null;
      await wait(POLL_MS);
    }
    return false;
  }

  private keepOpen(): void {
    this.child?.once('exit', () => {
      if (this.closed) return;
      setTimeout(() => {
        if (this.closed) return;
        this.start();
        this.keepOpen();
      }, RETRY_MS).unref();
    });
  }

  private end(): void {
    this.child?.kill('SIGTERM');
  }
}

/** @throws {CliError} when there is no ssh client: only attaching needs one */
export async function requireSshClient(env: NodeJS.ProcessEnv): Promise<string> {
  const client = env['DSTACK_SSH_CLIENT'] ?? 'ssh';
  const works = await new Promise<boolean>((resolve) => {
    execFile(client, ['-V'], (error) => resolve(error === null));
  });
  if (works) return client;
  throw new CliError('Forwarding ports needs an OpenSSH client, and there is none.', {
    hint: 'Install one (for example: apt-get install openssh-client), or set DSTACK_SSH_CLIENT to its path. Without it: dstack apply -d, dstack logs -f.',
  });
}

function accepts(port: ForwardedPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: port.host, port: port.localPort });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
