import type { RandomSource } from '@dstack/simulator/random-source';
import { type Stack, SMALL } from '../stack.js';

export interface ExpectedRun {
  readonly name: string;
  readonly status: 'done' | 'failed';
  readonly lines: readonly string[];
}

export interface WorkloadOptions {
  readonly prefix: string;
  /** Of jobs in containers; undefined: none. */
  readonly image: string | undefined;
  readonly random: RandomSource;
}

const LINES = 120;
const numbered = (name: string): string[] => Array.from({ length: LINES }, (_, index) => `${name} ${index + 1}`);
const print = (name: string): string =>
  `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo ${name} $i; sleep 0.02; done`;

/** Two runs that print a few seconds long, of three kinds: one that ends well, one that fails, one in a container. */
export async function submitRuns(stack: Stack, { prefix, image, random }: WorkloadOptions): Promise<ExpectedRun[]> {
  const runs: ExpectedRun[] = [];
  const submit = async (kind: string, status: 'done' | 'failed', more: string): Promise<void> => {
    const name = `${prefix}-${kind}`;
    const commands = `commands:\n  - ${print(name)}${status === 'failed' ? '\n  - (exit 3)' : ''}`;
    const file = stack.file(name, `type: task\nname: ${name}\n${commands}\n${more}\n${SMALL}\n`);
    const { code, stderr } = await stack.cli(['apply', '-y', '-d', '-f', file]);
    if (code !== 0) throw new Error(`apply of ${name}: ${stderr}`);
    runs.push({ name, status, lines: numbered(name) });
  };
  // Two at once: as many as the smallest machine takes.
  const kinds: [string, 'done' | 'failed', string][] = [
    ['good', 'done', ''],
    ['bad', 'failed', ''],
  ];
  if (image !== undefined) kinds.push(['boxed', 'done', `image: ${image}`]);
  const first = random.whole(0, kinds.length - 1);
  for (const [kind, status, more] of [...kinds, ...kinds].slice(first, first + 2)) await submit(kind, status, more);
  return runs;
}
