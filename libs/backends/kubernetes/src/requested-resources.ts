import { parseQuantity } from './quantity.js';
import type { Pod } from './schema.js';

export type Quantities = Readonly<Record<string, number>>;

/** What the scheduler has promised of each node to pods that are not finished. */
export function requestedByNode(pods: readonly Pod[]): ReadonlyMap<string, Quantities> {
  const byNode = new Map<string, Quantities>();
  for (const pod of pods) {
    const { nodeName } = pod.spec;
    if (!nodeName || pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') continue;
    byNode.set(nodeName, sum(byNode.get(nodeName) ?? {}, requestOf(pod)));
  }
  return byNode;
}

/** Containers run at once, init containers one by one before them, except those that stay beside them. */
function requestOf({ spec }: Pod): Quantities {
  const inits = spec.initContainers ?? [];
  const together = [...spec.containers, ...inits.filter(({ restartPolicy }) => restartPolicy === 'Always')];
  const running = together.map(({ resources }) => numbers(resources?.requests)).reduce(sum, {});
  const starting = inits.map(({ resources }) => numbers(resources?.requests));
  return sum(starting.reduce(larger, running), numbers(spec.overhead));
}

function numbers(quantities: Readonly<Record<string, string>> | null | undefined): Quantities {
  return Object.fromEntries(Object.entries(quantities ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

const sum = (a: Quantities, b: Quantities): Quantities => merge(a, b, (x, y) => x + y);
const larger = (a: Quantities, b: Quantities): Quantities => merge(a, b, Math.max);

function merge(a: Quantities, b: Quantities, how: (x: number, y: number) => number): Quantities {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, how(a[name] ?? 0, b[name] ?? 0)]));
}
