import type { Engine, Runner } from '@dstack/server/parts';
import type { ServerEpoch } from './server-epoch.js';

/** What the driver needs to know to tell when everything has come to rest. */
export interface Activity {
  open: number;
  steps: number;
  commits: number;
}

/** The database, under a server that may die or stand still at the edges of each transaction. */
export function mortalEngine(engine: Engine, epoch: ServerEpoch, activity: Activity, beforeCommit: () => void): Engine {
  const writes = new Set<Runner>();
  const begin = async (kind: 'read' | 'write', work: () => Promise<Runner>): Promise<Runner> => {
    await epoch.pass(`before a ${kind}`);
    activity.open += 1;
    activity.steps += 1;
    const runner = await work();
    if (kind === 'write') {
      writes.add(runner);
      guardCommit(runner, epoch, activity, beforeCommit);
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

function guardCommit(runner: Runner, epoch: ServerEpoch, activity: Activity, beforeCommit: () => void): void {
  const commit = runner.commitTransaction.bind(runner);
  runner.commitTransaction = async () => {
    epoch.point('before a commit');
    beforeCommit();
    await commit();
    activity.commits += 1;
  };
}
