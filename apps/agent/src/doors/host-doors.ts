import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DOOR_USER } from '@dstack/agent-protocol';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { canLimitListening, type Door, doorLines, plainKey } from './door-lines.js';
import { DOOR_KEYS_DIR, ensureDoorUser, hasDoorUser } from './door-user.js';
import { sshdProblems } from './sshd-rules.js';

const run = promisify(execFile);
const NOT_ROOT = 'the agent of this host is not root: the keys of the job are not let through the host';

/** Keys that lead through this host to jobs, each for as long as its job lives. */
export class HostDoors {
  private readonly doors = new Map<string, Door>();
  private queue: Promise<unknown> = Promise.resolve();
  private limitsListening: Promise<boolean> | undefined;

  /** What will be wrong with a job's door; for the job's log. */
  async problems(keys: readonly string[]): Promise<string[]> {
    if (process.getuid?.() !== 0) return [NOT_ROOT];
    const skipped = keys.flatMap((key, index) =>
      plainKey(key) === undefined ? [`public key ${index + 1} is no key without options: it is skipped`] : [],
    );
    const user = await this.inTurn(ensureDoorUser).then(
      () => [],
      (error: unknown) => [`no key of the job is let through the host: ${message(error)}`],
    );
    return [...skipped, ...user, ...sshdProblems(DOOR_USER, await effectiveSshdConfig())];
  }

  async open(jobId: string, door: Door): Promise<void> {
    if (process.getuid?.() !== 0) return;
    this.doors.set(jobId, door);
    await this.inTurn(async () => {
      await ensureDoorUser();
      await this.write();
    });
  }

  async close(jobId: string): Promise<void> {
    if (this.doors.delete(jobId)) await this.inTurn(() => this.write());
  }

  /** Closes what an agent before this one left open for jobs that are no more. */
  async closeForgotten(): Promise<void> {
    if (process.getuid?.() !== 0 || !(await hasDoorUser())) return;
    await this.inTurn(() => this.write()).catch((error: unknown) => {
      process.stderr.write(`keys of ended jobs may be left on the host: ${message(error)}\n`);
    });
  }

  private async write(): Promise<void> {
    const text = doorLines(this.doors.values(), { canLimitListening: await this.canLimitListening() });
    await writeFileAtomically(join(DOOR_KEYS_DIR, 'authorized_keys'), text, 0o644);
  }

  /** One after the other: each writes the whole file. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.queue.then(work);
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  private canLimitListening(): Promise<boolean> {
    this.limitsListening ??= run('ssh', ['-V']).then(
      ({ stdout, stderr }) => canLimitListening(stdout + stderr),
      () => false,
    );
    return this.limitsListening;
  }
}

/** Empty where it cannot be told. */
async function effectiveSshdConfig(): Promise<string> {
  const connection = `user=${DOOR_USER},host=localhost,addr=127.0.0.1`;
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  return run('sshd', ['-T', '-C', connection], { env, timeout: 5_000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
