import { join } from 'node:path';
import { repositoryRoot } from '@dstack/e2e/programs';
import { type ReadyProcess, startReady } from '../programs/ready-process.js';
import type { Answer, Failure, Order, ReplicaOptions } from './messages.js';

const program = join(repositoryRoot, 'tools/bench/dist/stand-in/replica.js');
/** `BENCH_NODE_OPTIONS="--cpu-prof" npm run bench -- --only B1` leaves a profile of the server behind. */
const nodeOptions = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((each) => each !== '');

/** A replica in a process of its own, and the orders to it. */
export class ReplicaProcess {
  private constructor(private readonly process: ReadyProcess<unknown>) {}

  static async start(options: ReplicaOptions): Promise<ReplicaProcess> {
    return new ReplicaProcess(await startReady([...nodeOptions, program, JSON.stringify(options)], process.env));
  }

  get pid(): number {
    return this.process.pid;
  }

  /** One at a time. */
  order(order: Order): Promise<Answer> {
    const { child } = this.process;
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void =>
        reject(new Error(`the replica ended with ${code} instead of answering`));
      child.once('exit', onExit);
      child.once('message', (answer) => {
        child.off('exit', onExit);
        const told = answer as Answer | Failure; // from the replica program
        if ('failed' in told) reject(new Error(told.failed));
        else resolve(told);
      });
      child.send(order);
    });
  }

  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.process.end(signal);
  }
}
