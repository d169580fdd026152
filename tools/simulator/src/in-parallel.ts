import { fork } from 'node:child_process';
import type { SimulationOptions, SimulationResult } from './simulation-options.js';

/** Each worker takes the next story as soon as it has told one; `onResult` hears of it at once, the results come in the order of the options. */
export async function inParallel(
  script: string,
  workerFlag: string,
  options: readonly SimulationOptions[],
  workers: number,
  onResult: (options: SimulationOptions, result: SimulationResult) => void,
): Promise<SimulationResult[]> {
  const results = new Map<number, SimulationResult>();
  let next = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(script, [workerFlag], { serialization: 'advanced' });
      let current = 0;
      const give = (): void => {
        const option = options[next];
        current = next;
        next += 1;
        if (option === undefined) child.disconnect();
        else child.send(option);
      };
      child.on('message', (message) => {
        const result = message as SimulationResult; // what the worker sends
        const told = options[current];
        if (told !== undefined) onResult(told, result);
        results.set(current, result);
        give();
      });
      child.on('error', reject);
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`a worker ended with ${code ?? 'a signal'}`)),
      );
      give();
    });
  await Promise.all(Array.from({ length: Math.min(workers, options.length) }, work));
  return options.flatMap((_options, index) => results.get(index) ?? []);
}
