import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { HostDoor } from '@dstack/agent-protocol';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { editAuthorizedKeys } from './authorized-keys-file.js';
import { canLimitListening, changeDoors, type Door, plainKey } from './door-lines.js';
import { findLoginUser } from './login-user.js';

const run = promisify(execFile);
const NOT_ROOT = 'the agent of this host is not root: the keys of the job are not let through the host';

/** Keys that lead through this host to jobs, in the `authorized_keys` of its users, each for as long as its job lives. */
export class HostDoors {
  private queue: Promise<unknown> = Promise.resolve();
  private readonly users = new Set<string>();
  private limitsListening: Promise<boolean> | undefined;

  constructor(
    private readonly agentId: string,
    /** Names, one a line, the users who were ever given a key. */
    private readonly usersFile: string,
  ) {}

  /** What will be wrong with a job's door; for the job's log. */
  async problems(door: HostDoor): Promise<string[]> {
    if (process.getuid?.() !== 0) return [NOT_ROOT];
    const skipped = door.authorizedKeys.flatMap((key, index) =>
      plainKey(key) === undefined ? [`public key ${index + 1} is no key without options: it is skipped`] : [],
    );
    const place = await this.edit(door.user, (content) => content).then(
      () => [],
      (error: unknown) => [`no key of the job is let through the host: ${message(error)}`],
    );
    return [...skipped, ...place];
  }

  async open(jobId: string, door: HostDoor, port: number): Promise<void> {
    if (process.getuid?.() !== 0) return;
    await this.remember(door.user);
    await this.change(door.user, (other) => other.jobId !== jobId, {
      keys: door.authorizedKeys,
      door: { jobId, agentId: this.agentId, port },
    });
  }

  async close(jobId: string, door: HostDoor): Promise<void> {
    if (process.getuid?.() !== 0) return;
    await this.change(door.user, (other) => other.jobId !== jobId);
  }

  /** Closes what agents before this one left open for jobs that are no more. */
  async prune(liveJobIds: ReadonlySet<string>): Promise<void> {
    if (process.getuid?.() !== 0) return;
    const known = await readFile(this.usersFile, 'utf8').catch(() => '');
    for (const user of known.split('\n').filter((name) => name !== '')) {
      this.users.add(user);
      await this.change(user, ({ jobId }) => liveJobIds.has(jobId)).catch((error: unknown) => {
        process.stderr.write(`keys of ended jobs may be left on the host: ${message(error)}\n`);
      });
    }
  }

  /** @param isKept which of this agent's own doors stay; those of others do */
  private async change(
    user: string,
    isKept: (door: Door) => boolean,
    more: { readonly keys: readonly string[]; readonly door: Door } | undefined = undefined,
  ): Promise<void> {
    const rules = { canLimitListening: await this.canLimitListening() };
    const keep = (door: Door): boolean => door.agentId !== this.agentId || isKept(door);
    await this.edit(user, (content) => changeDoors(content, rules, { isKept: keep, ...more }));
  }

  private async remember(user: string): Promise<void> {
    if (this.users.has(user)) return;
    this.users.add(user);
    await writeFileAtomically(this.usersFile, `${[...this.users].join('\n')}\n`);
  }

  /** One after the other: each writes the file anew. */
  private edit(user: string, edit: (content: string) => string): Promise<void> {
    const turn = this.queue.then(async () => {
      await editAuthorizedKeys(await findLoginUser(user), edit);
    });
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

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
