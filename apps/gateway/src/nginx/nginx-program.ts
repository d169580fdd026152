import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { statusSocketPath } from './nginx-config.js';

const run = promisify(execFile);

/** nginx as a program of this machine, started by this one and outliving it. */
export class NginxProgram {
  constructor(
    private readonly binary: string,
    readonly directory: string,
  ) {}

  /** `1.22.1`. @throws when it is not installed */
  async version(): Promise<string> {
    const { stderr } = await run(this.binary, ['-v']).catch((error: unknown) => {
      throw new Error(`nginx cannot be run (${this.binary}): install it with the package manager`, { cause: error });
    });
    return /nginx\/([\d.]+)/.exec(stderr)?.[1] ?? '0';
  }

  /** What nginx says against the configuration at this path; null: it takes it. */
  async refusal(configPath: string): Promise<string | null> {
    return run(this.binary, ['-t', '-q', '-p', this.directory, '-c', configPath]).then(
      () => null,
      (error: unknown) => complaint(error),
    );
  }

  /** Of the master that runs with this directory; null: there is none. */
  async pid(): Promise<number | null> {
    const text = await readFile(join(this.directory, 'nginx.pid'), 'utf8').catch(() => '');
    const pid = Number(text.trim());
    if (!Number.isInteger(pid) || pid <= 1) return null;
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    // Its title, which it writes itself, has the command it was started with.
    return command.includes('nginx') && command.includes(this.directory) ? pid : null;
  }

  /** Those that take connections; workers of a former configuration end what they have and take no more. */
  async workers(): Promise<number[]> {
    const all = await this.allWorkers();
    return all.flatMap(({ pid, isEnding }) => (isEnding ? [] : [pid]));
  }

  /** Of former configurations. */
  async formerWorkers(): Promise<number> {
    const all = await this.allWorkers();
    return all.filter(({ isEnding }) => isEnding).length;
  }

  private async allWorkers(): Promise<{ readonly pid: number; readonly isEnding: boolean }[]> {
    const master = await this.pid();
    if (master === null) return [];
    const children = await readFile(`/proc/${master}/task/${master}/children`, 'utf8').catch(() => '');
    const found = [];
    for (const pid of children.trim().split(/\s+/).filter(Boolean)) {
      const title = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      if (!title.startsWith('nginx: worker process')) continue;
      found.push({ pid: Number(pid), isEnding: title.includes('shutting down') });
    }
    return found;
  }

  /** Resolves when it listens. @throws with what it says */
  async start(configPath: string): Promise<void> {
    await run(this.binary, ['-p', this.directory, '-c', configPath]).catch((error: unknown) => {
      throw new Error(complaint(error), { cause: error });
    });
  }

  async signal(signal: 'SIGHUP' | 'SIGQUIT' | 'SIGTERM' | 'SIGUSR1'): Promise<void> {
    const pid = await this.pid();
    if (pid !== null) process.kill(pid, signal);
  }

  /** The hash of the configuration in force; null: nobody answers. */
  hash(): Promise<string | null> {
    return new Promise((resolve) => {
      const asked = request(
        { socketPath: statusSocketPath(this.directory), path: '/', agent: false, timeout: 2_000 },
        (reply) => {
          let text = '';
          reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          reply.once('end', () => resolve(text));
          reply.once('error', () => resolve(null));
        },
      );
      asked.once('timeout', () => asked.destroy());
      asked.once('error', () => resolve(null));
      asked.end();
    });
  }

  /** The last complaints of its log. */
  async lastErrors(): Promise<string> {
    const text = await readFile(join(this.directory, 'error.log'), 'utf8').catch(() => '');
    return complaintsOf(text.slice(-8_192));
  }
}

function complaint(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return complaintsOf(stderr) || (error instanceof Error ? error.message : String(error));
}

function complaintsOf(log: string): string {
  const lines = log.split('\n').filter((line) => /\[(emerg|alert|crit|error)\]/.test(line));
  return lines
    .slice(-3)
    .map((line) => line.replace(/^.*?\[(emerg|alert|crit|error)\] (\d+#\d+: )?/, ''))
    .join('; ');
}
