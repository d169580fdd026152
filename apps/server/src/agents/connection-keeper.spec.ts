import type { Database } from '../persistence/database.js';
import type { Scheduler } from '../world/scheduler.js';
import { ConnectionKeeper } from './connection-keeper.js';

/** Answers each renewal with the epochs it is given; time is turned by hand. */
function scene(answers: (() => Record<string, number>)[]) {
  const timers: (() => void)[] = [];
  let asked = 0;
  const db = {
    write: async () => {
      const answer = answers[asked]?.() ?? {};
      asked += 1;
      return Object.entries(answer).map(([id, connection_epoch]) => ({ id, connection_epoch }));
    },
  };
  const scheduler = { after: (_delayMs: number, task: () => void) => (timers.push(task), { cancel: () => undefined }) };
  const keeper = new ConnectionKeeper(
    db as unknown as Database,
    { scheduler: scheduler as unknown as Scheduler },
    'me',
  );
  const round = async (): Promise<void> => {
    timers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const lost: string[] = [];
  const keep = (instanceId: string, epoch: number) =>
    keeper.keep({ instanceId, epoch, onLost: (reason) => lost.push(`${instanceId}: ${String(reason)}`) });
  return { keep, round, lost, timers, asked: () => asked };
}

describe('the leases of all connections', () => {
  it('are renewed in one statement, again and again', async () => {
    const { keep, round, lost, asked } = scene([() => ({ a: 1, b: 7 }), () => ({ a: 1, b: 7 })]);
    keep('a', 1);
    keep('b', 7);
    await round();
    await round();
    expect([asked(), lost]).toEqual([2, []]);
  });

  it('are lost alone: to another server, or to a later connection', async () => {
    const { keep, round, lost } = scene([() => ({ a: 1, c: 3 })]);
    keep('a', 1);
    keep('b', 7);
    keep('c', 2);
    await round();
    expect(lost.map((each) => each[0])).toEqual(['b', 'c']);
  });

  it('are all in doubt when the database does not answer', async () => {
    const { keep, round, lost } = scene([
      () => {
        throw new Error('no database');
      },
    ]);
    keep('a', 1);
    keep('b', 7);
    await round();
    expect(lost).toEqual(['a: Error: no database', 'b: Error: no database']);
  });

  it('end with the last connection', async () => {
    const { keep, round, timers, asked } = scene([]);
    keep('a', 1)();
    await round();
    expect([asked(), timers.length]).toEqual([0, 0]);
  });
});
