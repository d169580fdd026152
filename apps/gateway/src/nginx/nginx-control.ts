import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { closingPath, type NginxConfig, statusSocketPath } from './nginx-config.js';
import type { NginxProgram } from './nginx-program.js';
import { orphanWorkers } from './orphan-workers.js';

/** Until a reload is in force, or is given up. */
const RELOAD_MS = 30_000;

/** Clients that ask again and again over one connection are told so long before that it ends: without that each loses a request. */
const CLOSING_MS = 300;

/** Until a worker that was told to end has closed its ports. */
const ORPHANS_MS = 200;

/** nginx refuses the configuration, or does not run with it. The former one is in force. */
export class NginxRefusalError extends Error {
  override readonly name = 'NginxRefusalError';
}

/** Brings nginx from one configuration to the next without dropping a connection, or leaves it as it is. */
export class NginxControl {
  private readonly path: string;

  constructor(private readonly program: NginxProgram) {
    this.path = join(program.directory, 'nginx.conf');
  }

  /** @param isServing there are clients to take leave of @throws {NginxRefusalError} */
  async apply({ text, hash }: NginxConfig, isServing: boolean): Promise<'unchanged' | 'reloaded' | 'started'> {
    const isRunning = (await this.program.pid()) !== null;
    if (isRunning && (await this.program.hash()) === hash) return 'unchanged';
    await mkdir(join(this.program.directory, 'temporary'), { recursive: true, mode: 0o711 });
    const next = `${this.path}.next`;
    await writeFileAtomically(next, text);
    const refusal = await this.program.refusal(next);
    if (refusal !== null) throw new NginxRefusalError(refusal);
    const before = await readFile(this.path, 'utf8').catch(() => null);
    await rename(next, this.path);
    if (!isRunning) {
      await this.start();
      return 'started';
    }
    if (await this.reload(hash, isServing)) return 'reloaded';
    const errors = await this.program.lastErrors();
    if (before !== null) {
      await writeFileAtomically(this.path, before);
      await this.program.signal('SIGHUP');
    }
    throw new NginxRefusalError(`it goes on with its former configuration: ${errors}`);
  }

  /** What nginx says against it, while nothing changes; null: nothing. */
  async refusal({ text }: NginxConfig): Promise<string | null> {
    await mkdir(join(this.program.directory, 'temporary'), { recursive: true, mode: 0o711 });
    const path = `${this.path}.try`;
    await writeFileAtomically(path, text);
    const refusal = await this.program.refusal(path);
    await rm(path, { force: true });
    return refusal;
  }

  private async start(): Promise<void> {
    // A master that was killed leaves its socket and its workers behind, and nobody else can listen there.
    await rm(statusSocketPath(this.program.directory), { force: true });
    await this.endOrphans();
    await this.program.start(this.path).catch((error: unknown) => {
      throw new NginxRefusalError(error instanceof Error ? error.message : String(error));
    });
  }

  /** They end what is under way, and listen no more at once. */
  private async endOrphans(): Promise<void> {
    const orphans = await orphanWorkers(this.program.directory);
    for (const pid of orphans) process.kill(pid, 'SIGQUIT');
    if (orphans.length > 0) await sleep(ORPHANS_MS);
  }

  private async reload(hash: string, isServing: boolean): Promise<boolean> {
    if (!isServing) return this.reloadNow(hash);
    const closing = closingPath(this.program.directory);
    await writeFile(closing, '');
    try {
      await sleep(CLOSING_MS);
      return await this.reloadNow(hash);
    } finally {
      await rm(closing, { force: true });
    }
  }

  private async reloadNow(hash: string): Promise<boolean> {
    const before = await this.program.workers();
    await this.program.signal('SIGHUP');
    const deadline = performance.now() + RELOAD_MS;
    for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 2, 200)) {
      if ((await this.program.hash()) === hash && (await this.areGone(before))) return true;
      await sleep(pause);
    }
    return false;
  }

  private async areGone(workers: readonly number[]): Promise<boolean> {
    const left = new Set(await this.program.workers());
    return workers.every((pid) => !left.has(pid));
  }
}
