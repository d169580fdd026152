import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCommand, type CommandResult } from './command.js';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** Made by tools/ci/make-server-image.sh; a release names the one that it has built. */
export const SERVER_IMAGE = process.env['DSTACK_TEST_SERVER_IMAGE'] ?? 'dstack-server:local';

/** Whether this machine has an engine with the image. */
export function hasServerImage(): boolean {
  try {
    docker('image', 'inspect', SERVER_IMAGE);
    return true;
  } catch {
    return false;
  }
}

export interface ServerContainerOptions {
  /** As of `docker run --user`; its home is then /home/dstack. */
  readonly user?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** The image as an operator runs it: one port, one directory of the host. */
export class ServerContainer {
  readonly dir = mkdtempSync(join(tmpdir(), 'dstack-image-'));
  private id = '';
  private port = 0;

  constructor(private readonly options: ServerContainerOptions = {}) {
    mkdirSync(this.dir, { recursive: true });
  }

  /** Of the server, as the host sees it. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The whole output so far. */
  get output(): string {
    return docker('logs', this.id);
  }

  /** The token that the output shows. */
  get token(): string {
    const found = /The admin token is (\S+)/.exec(this.output)?.[1];
    if (found === undefined) throw new Error(`no admin token is in the output:\n${this.output}`);
    return found;
  }

  /** Writes the `config.yml` that the next start reads. */
  configure(text: string): void {
    writeFileSync(join(this.dir, 'config.yml'), text, { mode: 0o600 });
  }

  /** @returns milliseconds until `/readyz` answered */
  async run(): Promise<number> {
    this.port ||= await freePort();
    const { user, env = {} } = this.options;
    const home = user === undefined ? '/root' : '/home/dstack';
    const startedAt = performance.now();
    this.id = docker(
      'run',
      '--detach',
      ...(user === undefined ? [] : ['--user', user]),
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value ?? ''}`]),
      ...['--publish', `127.0.0.1:${this.port}:3000`],
      ...['--volume', `${this.dir}:${home}/.dstack/server`],
      SERVER_IMAGE,
    );
    await this.ready();
    return performance.now() - startedAt;
  }

  /** Ends it as `docker stop` does, and starts the same container again. */
  async restart(): Promise<void> {
    docker('restart', '--time', '20', this.id);
    await this.ready();
  }

  /** What the engine's own check says. */
  health(): string {
    return docker('inspect', '--format', '{{.State.Health.Status}}', this.id);
  }

  /** @returns its exit code, and how long the end took in milliseconds */
  stop(): { readonly code: number; readonly ms: number } {
    const startedAt = performance.now();
    docker('stop', '--time', '20', this.id);
    const ms = performance.now() - startedAt;
    return { code: Number(docker('inspect', '--format', '{{.State.ExitCode}}', this.id)), ms };
  }

  /** A program in the container, with the command line's access to the server. */
  exec(...command: readonly string[]): Promise<CommandResult> {
    const access = ['DSTACK_SERVER_URL=http://127.0.0.1:3000', `DSTACK_TOKEN=${this.token}`, 'DSTACK_PROJECT=main'];
    const args = ['exec', ...access.flatMap((text) => ['--env', text]), '--workdir', '/tmp', this.id, ...command];
    return startCommand('docker', args, { cwd: this.dir, env: process.env }).done;
  }

  remove(): void {
    if (this.id !== '') docker('rm', '--force', this.id);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const answers = () =>
      fetch(`${this.url}/readyz`).then(
        (reply) => reply.ok,
        () => false,
      );
    const isUp = async (): Promise<boolean> => {
      if (docker('inspect', '--format', '{{.State.Running}}', this.id) !== 'true')
        throw new Error(`the container has ended:\n${this.output}`);
      return answers();
    };
    await until('the container to be ready', isUp, 60_000);
  }
}

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
