import type { Engine } from '@dstack/server/parts';
import type { ServerEpoch } from './server-epoch.js';

type Runner = Awaited<ReturnType<Engine['beginWrite']>>;

/** What the driver needs to know to tell when everything has come to rest. */
export interface Activity {
  open: number;
  steps: number;
  commits: number;
}

/** The real engine, under a server that may die at the edges of each transaction. */
export function mortalEngine(engine: Engine, epoch: ServerEpoch, activity: Activity): Engine {
  const open = new Map<Runner, 'read' | 'write'>();
  const begin = async (kind: 'read' | 'write', work: () => Promise<Runner>): Promise<Runner> => {
    await epoch.pass(`begin ${kind}`);
    activity.open += 1;
    activity.steps += 1;
    try {
      const runner = await work();
      open.set(runner, kind);
      if (kind === 'write') guardCommit(runner, epoch, activity);
      return runner;
    } catch (error) {
      activity.open -= 1;
      throw error;
    }
  };
  return {
    dialect: engine.dialect,
    dataSource: engine.dataSource,
    beginRead: () => begin('read', () => engine.beginRead()),
    beginWrite: (options) => begin('write', () => engine.beginWrite(options)),
    end: async (runner) => {
      const kind = open.get(runner);
      await engine.end(runner);
      open.delete(runner);
      activity.open -= 1;
      activity.steps += 1;
      await epoch.pass(`after ${kind ?? 'read'}`);
    },
    now: (runner) => engine.now(runner),
    close: () => engine.close(),
  };
}

function guardCommit(runner: Runner, epoch: ServerEpoch, activity: Activity): void {
  const commit = runner.commitTransaction.bind(runner);
  runner.commitTransaction = async () => {
    epoch.point('commit');
    await commit();
    activity.commits += 1;
  };
}
