import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { type NginxConfig, statusSocketPath } from './nginx-config.js';
import type { NginxProgram } from './nginx-program.js';

/** Until a reload is in force, or is given up. */
const RELOAD_MS = 30_000;

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

  /** @throws {NginxRefusalError} */
  async apply({ text, hash }: NginxConfig): Promise<'unchanged' | 'reloaded' | 'started'> {
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
    if (await this.reload(hash)) return 'reloaded';
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

  /** Starts it again where it has died. Gives whether it had. */
  async revive(): Promise<boolean> {
    if ((await this.program.pid()) !== null) return false;
    await this.start();
    return true;
  }

  private async start(): Promise<void> {
    // A master that was killed leaves its socket behind, and nobody can listen there.
    await rm(statusSocketPath(this.program.directory), { force: true });
    await this.program.start(this.path).catch((error: unknown) => {
      throw new NginxRefusalError(error instanceof Error ? error.message : String(error));
    });
  }

  private async reload(hash: string): Promise<boolean> {
    await this.program.signal('SIGHUP');
    const deadline = performance.now() + RELOAD_MS;
    for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 2, 200)) {
      if ((await this.program.hash()) === hash) return true;
      await sleep(pause);
    }
    return false;
  }
}
