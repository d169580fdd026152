import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Scheduler, Timer } from '../world/scheduler.js';
import type { Replica } from './replica.js';
import { withoutSecrets } from './restore-replica.js';

export interface ReplicationTools {
  readonly scheduler: Scheduler;
  readonly log: { log(line: string): void; warn(line: string): void; debug(line: string): void };
}

const AGAIN_MIN_MS = 1_000;
const AGAIN_MAX_MS = 60_000;
/** What Litestream gets to write its last changes. */
const STOP_MS = 8_000;

/** Keeps Litestream running beside the server that has the database. */
export class Replication {
  private child: ChildProcess | undefined;
  private again: Timer | undefined;
  private failures = 0;
  private isStopped = false;
  private trouble: string | undefined;
  private readonly pidPath: string;

  constructor(
    private readonly replica: Replica,
    private readonly tools: ReplicationTools,
  ) {
    this.pidPath = `${replica.path}-litestream.pid`;
  }

  /** What an operator should know; undefined while all is well, as far as Litestream says. */
  get warning(): string | undefined {
    return this.trouble === undefined
      ? undefined
      : `The database is not being replicated to ${withoutSecrets(this.replica.url)}: ${this.trouble}`;
  }

  /** The database exists. */
  async start(): Promise<void> {
    await this.endFormer();
    this.tools.log.log(`Litestream replicates the database to ${withoutSecrets(this.replica.url)}`);
    this.run();
  }

  /** After the database is closed here: what is left in its log is written first. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.again?.cancel();
    const { child } = this;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill('SIGTERM');
    const tooLong = this.tools.scheduler.after(STOP_MS, () => {
      this.tools.log.warn('Litestream did not end in time: the last changes may not be in the replica');
      child.kill('SIGKILL');
    });
    await gone;
    tooLong.cancel();
  }

  private run(): void {
    const { program, path, url, env } = this.replica;
    const child = spawn(program, ['replicate', path, url], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    if (child.pid !== undefined) writeFileSync(this.pidPath, String(child.pid), { mode: 0o600 });
    let last = '';
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        last = line;
        this.tell(line);
      });
    child.once('error', (error) => (last = error.message));
    child.once('close', (code, signal) => this.ended(`it ended with ${code ?? signal}: ${last}`));
  }

  /** Errors go on until something works again, which Litestream says nothing of: the next start shows it. */
  private tell(line: string): void {
    if (/level=(ERROR|WARN)/.test(line)) {
      this.trouble = line.replace(/^time=\S+ /, '');
      this.tools.log.warn(`Litestream: ${this.trouble}`);
    } else {
      if (/msg="(write wal segment|write snapshot|wal segment written|snapshot written)"/.test(line)) this.recovered();
      this.tools.log.debug(`Litestream: ${line}`);
    }
  }

  private recovered(): void {
    this.trouble = undefined;
    this.failures = 0;
  }

  private ended(how: string): void {
    this.child = undefined;
    rmSync(this.pidPath, { force: true });
    if (this.isStopped) return;
    this.trouble = how;
    const pauseMs = Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** this.failures);
    this.failures += 1;
    this.tools.log.warn(`Litestream is started again in ${pauseMs / 1_000} s: ${how}`);
    this.again = this.tools.scheduler.after(pauseMs, () => this.run());
  }

  /** Of a server that was killed: two of them would write into one replica. */
  private async endFormer(): Promise<void> {
    const pid = this.formerPid();
    if (pid === undefined) return;
    this.tools.log.warn(`Litestream of a former server (process ${pid}) is ended`);
    for (let tries = 0; tries < 100 && this.isOurs(pid); tries += 1) {
      process.kill(pid, tries < 50 ? 'SIGTERM' : 'SIGKILL');
      await this.tools.scheduler.sleep(100);
    }
  }

  private formerPid(): number | undefined {
    try {
      const pid = Number(readFileSync(this.pidPath, 'utf8'));
      return Number.isInteger(pid) && pid > 1 && this.isOurs(pid) ? pid : undefined;
    } catch {
      return undefined; // there was none
    }
  }

  /** Numbers of processes are used again: only one that replicates this database is meant. */
  private isOurs(pid: number): boolean {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes('replicate') && words.includes(this.replica.path);
    } catch {
      return false;
    }
  }
}
