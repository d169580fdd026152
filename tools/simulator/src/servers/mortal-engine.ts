import type { Engine, Runner } from '@dstack/server/parts';
import { DatabaseAwayError, type DatabaseLine } from './database-line.js';
import type { ServerEpoch } from './server-epoch.js';

/** What the driver needs to know to tell when everything has come to rest. */
export interface Activity {
  open: number;
  steps: number;
  commits: number;
}

/** The database, under a server that may die or stand still at the edges of each transaction, or – `line` – not reach it. */
export function mortalEngine(
  engine: Engine,
  epoch: ServerEpoch,
  activity: Activity,
  line: DatabaseLine | null,
): Engine {
  const writes = new Set<Runner>();
  const begin = async (kind: 'read' | 'write', work: () => Promise<Runner>): Promise<Runner> => {
    await epoch.pass(`before a ${kind}`);
    if (line?.isAway === true) {
      await epoch.sleep(line.silenceMs);
      throw new DatabaseAwayError('the database does not answer');
    }
    activity.open += 1;
    activity.steps += 1;
    const runner = await work();
    if (kind === 'write') {
      writes.add(runner);
      guardCommit(runner, { epoch, activity, line });
    }
    return runner;
  };
  return {
    ...engine,
    beginRead: () => begin('read', () => engine.beginRead()),
    beginWrite: (options) => begin('write', () => engine.beginWrite(options)),
    end: async (runner) => {
      const kind = writes.delete(runner) ? 'write' : 'read';
      await engine.end(runner);
      activity.open -= 1;
      activity.steps += 1;
      await epoch.pass(`after a ${kind}`);
    },
  };
}

interface Guard {
  readonly epoch: ServerEpoch;
  readonly activity: Activity;
  readonly line: DatabaseLine | null;
}

function guardCommit(runner: Runner, { epoch, activity, line }: Guard): void {
  const commit = runner.commitTransaction.bind(runner);
  runner.commitTransaction = async () => {
    epoch.point('before a commit');
    const fate = line?.drawCommit() ?? 'answered';
    if (fate !== 'not done') {
      await commit();
      activity.commits += 1;
    }
    if (fate !== 'answered') throw new DatabaseAwayError('the connection broke during the commit');
  };
}
