import { parseArgs } from 'node:util';
import { FAULTS } from './faults.js';
import { IDEMPOTENCY_KINDS, type IdempotencyKind } from './simulation-options.js';
import type { UsualStory } from './usual-story.js';

export const HELP = `npm run sim -- [options]

Tells stories of servers that crash, stand still and come back while clouds, hosts, agents and users do what they do, under a virtual
clock. One seed is one story; the same seed tells the same one.

  --seeds N          how many stories (100)
  --from N           the first seed (1)
  --trace SEED       tell one story, line by line
  --every-point SEED tell one story again and again without faults, with one crash at each point where it leaves something else behind
  --crash-at N       with --trace: the story of --every-point with the crash at the n-th of these points
  --runs N           tasks per project
  --services N       services per project
  --volumes N        network volumes per project
  --gateways N       gateways per project, each with two services behind it
  --all-faults       all that can go wrong does
                     What is not said of these five is drawn for each seed.
  --creates N        instead: users who want many machines, until N create calls had trouble, by clouds of each kind in turn
  --kind KIND        with --creates: clouds of one kind only: token, name or lookup
  --json             end with one line of JSON: {"seeds":…,"violations":…,…}
  --help

Ends with 1 when a promise was broken, and says how to replay it. docs/simulator.md says more.`;

export interface CommandLine {
  readonly seeds: number;
  readonly from: number;
  readonly trace: number | null;
  readonly everyPoint: number | null;
  readonly crashAt: number | null;
  /** What is said of all stories. */
  readonly asked: Partial<UsualStory>;
  readonly creates: number | null;
  readonly kind: IdempotencyKind | null;
  readonly json: boolean;
  readonly help: boolean;
}

/** @throws {TypeError} for an option that does not exist; {RangeError} for a number that is none */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      trace: { type: 'string' },
      'every-point': { type: 'string' },
      'crash-at': { type: 'string' },
      runs: { type: 'string' },
      services: { type: 'string' },
      volumes: { type: 'string' },
      gateways: { type: 'string' },
      'all-faults': { type: 'boolean', default: false },
      creates: { type: 'string' },
      kind: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    seeds: whole('seeds', values.seeds),
    from: whole('from', values.from),
    trace: optional('trace', values.trace),
    everyPoint: optional('every-point', values['every-point']),
    crashAt: optional('crash-at', values['crash-at']),
    asked: {
      ...count('runs', values.runs),
      ...count('services', values.services),
      ...count('volumes', values.volumes),
      ...count('gateways', values.gateways),
      ...(values['all-faults'] ? { faults: FAULTS } : {}),
    },
    creates: optional('creates', values.creates),
    kind: kindOf(values.kind),
    json: values.json,
    help: values.help,
  };
}

function count<Name extends string>(name: Name, text: string | undefined): { readonly [name in Name]?: number } {
  return text === undefined ? {} : ({ [name]: whole(name, text) } as { readonly [name in Name]: number }); // a computed key loses its name
}

function kindOf(text: string | undefined): IdempotencyKind | null {
  if (text === undefined) return null;
  const kind = IDEMPOTENCY_KINDS.find((each) => each === text);
  if (kind === undefined) throw new RangeError(`--kind is one of ${IDEMPOTENCY_KINDS.join(', ')}, not "${text}"`);
  return kind;
}

function optional(name: string, text: string | undefined): number | null {
  return text === undefined ? null : whole(name, text);
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new RangeError(`--${name} takes a whole number, not "${text}"`);
  return Number(text);
}
