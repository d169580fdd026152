import type { Stack } from '../stack.js';

interface SeenInstance {
  readonly name: string;
  readonly status: string;
  readonly busy_blocks: number;
  readonly unreachable: boolean;
}

/** Those that are not as before the case: with work, or not back yet. */
export async function busyInstances(stack: Stack): Promise<string[]> {
  const instances = await stack.api<SeenInstance[]>('/api/instances/list', { only_active: true });
  return instances.flatMap(({ name, status, busy_blocks: blocks, unreachable }) => [
    ...(blocks > 0 ? [`${name} is ${status} with ${blocks} busy blocks`] : []),
    ...(unreachable ? [`${name} is unreachable`] : []),
  ]);
}
