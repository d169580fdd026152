import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, type RunningCommand, startCommand } from './command.js';
import { freePort } from './free-port.js';
import { Terminal } from './terminal.js';
import { until } from './until.js';
import { shareArchives } from './share-archives.js';
import { canRunContainers, cliProgram, node, serverProgram } from './programs.js';

interface ReadyMessage {
  readonly type: 'ready';
  readonly url: string;
  readonly adminToken: string;
}

/** Resources that any machine has. */
export const SMALL = 'resources: {cpu: 1.., memory: 128MB.., disk: 1GB..}';

/** One server process with its own directory, and a user with an own home who runs the CLI. */
export class Stack {
  readonly work = mkdtempSync(join(tmpdir(), 'dstack-e2e-'));
  readonly serverDir = join(this.work, 'server');
  readonly home = join(this.work, 'home');
  readonly project = join(this.work, 'project');
  url = '';
  token = '';
  private server: ChildProcess | undefined;
  private port = 0;
  private listed: { readonly runs?: string; readonly lines: readonly string[] } = { lines: [] };
  private readonly commands = new Set<RunningCommand>();

  /** @param program of the server that `start` starts; another one from the next start on, when it is replaced */
  constructor(
    private readonly serverEnv: NodeJS.ProcessEnv = {},
    public program = serverProgram,
  ) {
    mkdirSync(this.home);
    mkdirSync(this.project);
  }

  /** Starts the server (again, on the same port and directory); resolves when it answers. */
  async start(): Promise<void> {
    this.port ||= await freePort();
    shareArchives(this.serverDir);
    const log = createWriteStream(join(this.work, 'server.log'), { flags: 'a' });
    const child = spawn(node, [this.program, '--host', '127.0.0.1', '--port', String(this.port)], {
      cwd: this.work,
      env: { PATH: process.env.PATH, HOME: this.home, DSTACK_SERVER_DIR: this.serverDir, ...this.serverEnv },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.stdout?.pipe(log);
    child.stderr?.pipe(log, { end: false });
    this.server = child;
    const ready = await new Promise<ReadyMessage>((resolve, reject) => {
      child.once('exit', (code) =>
        reject(new Error(`the server exited with ${code}:\n${this.serverLog().slice(-2000)}`)),
      );
      child.on('message', (message) => {
        // The only message the server sends its parent.
        const told = message as ReadyMessage;
        if (told.type === 'ready') resolve(told);
      });
    });
    child.removeAllListeners('exit');
    this.url = ready.url;
    this.token = ready.adminToken;
  }

  serverLog(): string {
    const file = join(this.work, 'server.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Ends the server with a signal and waits for its end. */
  async killServer(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const server = this.server;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await gone;
  }

  /** Without waiting for anything: to pause the server and let it go on. */
  signalServer(signal: NodeJS.Signals): void {
    this.server?.kill(signal);
  }

  /** Of the running server. */
  get serverPid(): number {
    const pid = this.server?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  /** Process ids of the host agents of this server's local instances. */
  agentPids(): number[] {
    const dir = join(this.serverDir, 'local');
    if (!existsSync(dir)) return [];
    return readdirSync(dir)
      .map((name) => join(dir, name, 'agent.pid'))
      .filter((file) => existsSync(file))
      .map((file) => Number.parseInt(readFileSync(file, 'utf8'), 10))
      .filter((pid) => Number.isInteger(pid) && pid > 1);
  }

  startCli(args: readonly string[], options: CliOptions = {}): RunningCommand {
    const command = startCommand(node, [cliProgram, ...args], {
      cwd: options.cwd ?? this.project,
      env: this.userEnv(options),
    });
    this.commands.add(command);
    void command.done.finally(() => this.commands.delete(command));
    return command;
  }

  /** As somebody runs it who sits in front of it. */
  onTerminal(args: readonly string[], options: CliOptions = {}): Terminal {
    const at = { cwd: options.cwd ?? this.project, env: this.userEnv(options) };
    return new Terminal([node, cliProgram, ...args], at);
  }

  private userEnv(options: CliOptions): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: options.home ?? this.home,
      COLUMNS: '160',
      DSTACK_SERVER_URL: this.url,
      DSTACK_TOKEN: options.token ?? this.token,
      DSTACK_PROJECT: options.project ?? 'main',
      ...options.env,
    };
  }

  cli(args: readonly string[], options: CliOptions = {}): Promise<CommandResult> {
    return this.startCli(args, options).done;
  }

  /** Writes a configuration into the user's project; its name is for `apply -f`. */
  file(name: string, text: string): string {
    writeFileSync(join(this.project, `${name}.dstack.yml`), text);
    return `${name}.dstack.yml`;
  }

  /** The run's line of `ps -a`, which is run again only when the server tells something else of the runs: each start takes a CPU for long. */
  async statusOf(name: string): Promise<string> {
    const runs = await this.api<unknown>('/api/runs/list').then(JSON.stringify, () => undefined);
    if (runs === undefined || runs !== this.listed.runs)
      this.listed = { runs, lines: (await this.cli(['ps', '-a'])).stdout.split('\n') };
    return this.listed.lines.find((line) => line.includes(name)) ?? '';
  }

  /** Waits like `until`; in vain, it tells what became of the runs and what the server said. */
  async until<T>(event: string, ask: () => Promise<T | undefined | false>, limitMs?: number): Promise<T> {
    try {
      return await until(event, ask, limitMs);
    } catch (error) {
      const runs = await this.cli(['ps', '-a', '-v']).then((result) => result.stdout + result.stderr);
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`${what}\n${runs}\n${this.serverLog().slice(-4000)}`, { cause: error });
    }
  }

  /** One REST call as the admin (or with `token`). */
  async api<T>(path: string, body: unknown = {}, token = this.token): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    // The caller names the contract's reply type.
    return JSON.parse(text) as T;
  }

  /**
   * Stops everything this stack started and removes its files.
   * @param release between the two: what has to let go of the files
   */
  async close(release: () => void = () => undefined): Promise<void> {
    for (const { child } of this.commands) child.kill('SIGKILL');
    await this.killServer('SIGTERM');
    try {
      execFileSync('pkill', ['-KILL', '-f', this.serverDir]);
    } catch {
      // Nothing was left running.
    }
    this.removeContainers();
    release();
    rmSync(this.work, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Ids of the containers of jobs that mount something of this stack. */
  containers(): string[] {
    if (!canRunContainers()) return [];
    const ids = docker('ps', '-aq', '--filter', 'label=ai.dstack.job').split('\n');
    return ids.filter((id) => {
      try {
        return id !== '' && docker('inspect', '-f', '{{json .Mounts}}', id).includes(this.work);
      } catch {
        // Removed by somebody else meanwhile.
        return false;
      }
    });
  }

  /** Containers of jobs outlive the server and the agent. */
  private removeContainers(): void {
    for (const id of this.containers()) {
      try {
        docker('rm', '-f', id);
      } catch {
        // Removed by somebody else meanwhile.
      }
    }
  }
}

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

export interface CliOptions {
  readonly cwd?: string;
  readonly home?: string;
  readonly token?: string;
  readonly project?: string;
  readonly env?: NodeJS.ProcessEnv;
}
