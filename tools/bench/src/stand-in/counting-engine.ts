import type { Engine } from '@dstack/server/parts';

export interface WriteCount {
  writes: number;
}

/** The engine as it is, and how many write transactions it was asked for. */
export function countingEngine(engine: Engine, count: WriteCount): Engine {
  return {
    dialect: engine.dialect,
    isShared: engine.isShared,
    noticesUrl: engine.noticesUrl,
    beginRead: () => engine.beginRead(),
    beginWrite: (options) => {
      count.writes += 1;
      return engine.beginWrite(options);
    },
    end: (runner) => engine.end(runner),
    now: (runner) => engine.now(runner),
    close: () => engine.close(),
  };
}
