import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, ReplicaState } from './messages.js';
import type { ReplicaProcess } from './replica-process.js';

const LIMIT_MS = 15 * 60_000;

export interface Load {
  readonly count: number;
  readonly nodes?: number;
  readonly prefix?: string;
}

export interface Loaded {
  /** From the first request until the last job ran, by the database's own times. */
  readonly elapsedMs: number;
  readonly state: ReplicaState;
}

/** Submits as fast as the replicas take it, to all of them, and waits until all of their jobs run. */
export async function runLoad(
  replicas: readonly ReplicaProcess[],
  { count, nodes = 1, prefix = 'load' }: Load,
  say: (text: string) => void,
): Promise<Loaded> {
  const [first] = replicas;
  if (first === undefined) throw new RangeError('no replica');
  const before = (await first.order({ do: 'ask' })).state.jobsRunning;
  const share = (index: number): number => Math.floor((count + index) / replicas.length);
  const submitted: Answer[] = await Promise.all(
    replicas.map((replica, index) =>
      replica.order({ do: 'submit', prefix: `${prefix}-${index}`, count: share(index), atOnce: 32, nodes }),
    ),
  );
  const startedAt = Math.min(...submitted.map((answer) => answer.startedAt));
  const state = await untilRunning(first, before + count * nodes, say);
  return { elapsedMs: state.lastChangeAt - startedAt, state };
}

async function untilRunning(
  replica: ReplicaProcess,
  count: number,
  say: (text: string) => void,
): Promise<ReplicaState> {
  const deadline = performance.now() + LIMIT_MS;
  let saidAt = performance.now();
  for (;;) {
    const isTimeToSay = performance.now() - saidAt > 15_000;
    const { state: glance } = await replica.order({ do: 'glance' });
    if (glance.machinesBusy >= count || isTimeToSay) {
      const { state } = await replica.order({ do: 'ask' });
      if (state.runsFailed > 0) throw new Error(`${state.runsFailed} runs failed`);
      if (state.jobsRunning >= count && state.runsRunning > 0) return state;
      if (performance.now() > deadline) throw new Error(`only ${state.jobsRunning} of ${count} jobs are running`);
      if (isTimeToSay) {
        saidAt = performance.now();
        say(`${state.jobsRunning} of ${count} jobs are running`);
      }
    }
    await sleep(count < 1_000 ? 20 : 250);
  }
}
