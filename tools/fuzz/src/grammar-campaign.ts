import { isDeepStrictEqual } from 'node:util';
import {
  ConfigurationError,
  type ResourceField,
  parseConfigurationValue,
  parseDuration,
  parseEntityReference,
  parseFileMapping,
  parseMountPoint,
  parsePort,
  parseRepoSpec,
  parseResourceValue,
  prettyGpuSpec,
  prettyRange,
} from '@dstack/core';
import fc from 'fast-check';
import { type Campaign, trial } from './campaign.js';
import { configurationTexts } from './configuration-values.js';

const CASES = 1_000;

export const grammarCampaign: Campaign = {
  name: 'grammars',
  what: 'the short forms of single fields: what is printed reads as what was read',
  open: async () => ({
    trials: [
      ...Object.entries(RESOURCES).map(([field, print]) =>
        trial(
          `${field}: printed and read again`,
          CASES,
          fc.property(sizes, (text) =>
            roundTrip(text, (written) => readResource(field as ResourceField, written), print),
          ),
        ),
      ),
      ...Object.entries(SINGLE).map(([name, { read, print, texts }]) =>
        trial(
          `${name}: printed and read again`,
          CASES,
          fc.property(texts, (text) => roundTrip(text, read, print)),
        ),
      ),
      trial('an environment is the same as a list and as a mapping', CASES, fc.property(environment, sameEnvironment)),
    ],
    close: async () => undefined,
  }),
};

type Read = (text: string) => unknown;
type Print = (value: never) => string | undefined;

/** Print undefined: the value has no short form. */
function roundTrip(text: string, read: Read, print: Print): void {
  const value = orRefused(() => read(text));
  if (value === REFUSED) return;
  const printed = print(value as never); // each reader is beside its printer
  if (printed === undefined) return;
  const again = orRefused(() => read(printed));
  if (again === REFUSED) throw new Error(`${JSON.stringify(text)} prints as ${printed}, which is refused`);
  const second = print(again as never);
  if (second !== printed)
    throw new Error(`${JSON.stringify(text)} prints as ${printed}, and that as ${String(second)}`);
}

const REFUSED = Symbol('refused');

function orRefused(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!ConfigurationError.is(error)) throw error;
    return REFUSED;
  }
}

function readResource(field: ResourceField, text: string): unknown {
  const parsed = parseResourceValue(field, text);
  return parsed.ok ? parsed.value : REFUSED;
}

interface Bounds {
  readonly min: number | null;
  readonly max: number | null;
}

const orNone =
  <T>(print: (value: T) => string | undefined) =>
  (value: T | null | undefined | symbol): string | undefined =>
    value === null || value === undefined || typeof value === 'symbol' ? undefined : print(value);

const RESOURCES: Readonly<Record<'cpu' | 'memory' | 'disk' | 'shm_size' | 'gpu', Print>> = {
  cpu: orNone(({ arch, count }: { arch: string | null; count: Bounds }) =>
    [arch, prettyRange(count)].filter((part) => part !== null && part !== '').join(':'),
  ),
  memory: orNone((range: Bounds) => prettyRange(range, 'GB') ?? undefined),
  disk: orNone(({ size }: { size: Bounds }) => prettyRange(size, 'GB') ?? undefined),
  shm_size: orNone((size: number) => prettyRange({ min: size, max: size }, 'GB') ?? undefined),
  gpu: orNone((gpu: Parameters<typeof prettyGpuSpec>[0]) => prettyGpuSpec(gpu)),
};

const numbers = fc.oneof(
  fc.nat({ max: 4096 }).map(String),
  fc.double({ min: 0, max: 1e7, noNaN: true }).map((value) => value.toFixed(3)),
  fc.constantFrom('0', '1e3', '9'.repeat(25), '0.1', '1.', '٣', '1_0'),
);
const bound = fc
  .tuple(numbers, fc.constantFrom('', '', 'GB', 'MB', 'TB', 'gb', ' GB', 'KB'))
  .map((parts) => parts.join(''));
const range = fc.oneof(
  bound,
  fc.tuple(bound, bound).map(([low, high]) => `${low}..${high}`),
  bound.map((low) => `${low}..`),
  bound.map((high) => `..${high}`),
);
const word = fc.constantFrom(
  'A100',
  'H100',
  'nvidia',
  'amd',
  'tpu',
  'x86',
  'ARM',
  'A10G,A100',
  'tpu-v5litepod-8',
  'tt',
  'MI300X',
  'ñ',
  'A100, ,H100',
);
const sizes = fc.oneof(
  { weight: 3, arbitrary: range },
  {
    weight: 4,
    arbitrary: fc.array(fc.oneof(range, word), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':')),
  },
  { weight: 1, arbitrary: configurationTexts },
);

const path = fc
  .array(fc.constantFrom('a', 'b c', '..', '.', '~', '', 'ü', '$HOME', '-x', 'C:\\x'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));
const pair = fc.oneof(
  path,
  fc.tuple(path, path).map((parts) => parts.join(':')),
  fc.tuple(fc.constantFrom('vol', '/mnt', './x'), path).map((parts) => parts.join(':/')),
);

const SINGLE: Readonly<
  Record<string, { readonly read: Read; readonly print: Print; readonly texts: fc.Arbitrary<string> }>
> = {
  port: {
    read: (text) => parsePort(text),
    print: ({ local_port, container_port }: { local_port: number | null; container_port: number }) =>
      `${local_port ?? '*'}:${container_port}`,
    texts: fc.oneof(
      fc.tuple(fc.constantFrom('', '*:', '80:', '0:', '70000:'), numbers).map((parts) => parts.join('')),
      configurationTexts,
    ),
  },
  duration: {
    read: (text) => parseDuration(text),
    print: (seconds: number) => String(seconds),
    texts: fc.oneof(
      fc
        .tuple(fc.constantFrom('', '-', '+', ' '), numbers, fc.constantFrom('', 's', 'm', 'h', 'd', 'w', ' h', 'y'))
        .map((parts) => parts.join('')),
      configurationTexts,
    ),
  },
  mount: {
    read: (text) => parseMountPoint(text),
    print: (mount: { name?: string | string[]; instance_path?: string; path: string }) =>
      `${mount.instance_path ?? String(mount.name)}:${mount.path}`,
    texts: fc.oneof(pair, configurationTexts),
  },
  file: {
    read: (text) => parseFileMapping(text),
    print: ({ local_path, path: target }: { local_path: string; path: string }) => `${local_path}:${target}`,
    texts: fc.oneof(pair, configurationTexts),
  },
  repo: {
    read: (text) => parseRepoSpec(text),
    print: ({ local_path, url, path: target }: { local_path: string | null; url: string | null; path: string }) =>
      // Behind what looks like a host a path would be part of the address.
      local_path?.includes('@') === true ? undefined : `${local_path ?? url ?? ''}:${target}`,
    texts: fc.oneof(
      pair,
      configurationTexts,
      fc
        .tuple(
          fc.constantFrom('https://h/r', 'ssh://git@h:22/r', 'git@h:r.git', 'https://u:p@h:8080/r', 'http://h'),
          fc.constantFrom('', ':/x', ':~/x', ':..', ':', '::', ':80'),
        )
        .map((parts) => parts.join('')),
    ),
  },
  reference: {
    read: (text) => parseEntityReference(text),
    print: ({ name, project }: { name: string; project?: string | null }) =>
      project === null || project === undefined ? name : `${project}/${name}`,
    texts: fc.oneof(path, configurationTexts),
  },
};

const environment = fc.dictionary(
  fc.oneof(
    fc.constantFrom('A', 'B_1', 'PATH', '__proto__', 'constructor', 'a-b', '', '1'),
    fc.string({ maxLength: 5 }),
  ),
  fc.oneof(
    fc.constantFrom('', 'x', 'a=b', '=', '${{ secrets.x }}', 'line\nbreak', '\u0000', '💥'),
    fc.string({ maxLength: 8 }),
  ),
  { maxKeys: 4 },
);

function sameEnvironment(env: Readonly<Record<string, string>>): void {
  const read = (written: unknown): unknown => {
    const parsed = parseConfigurationValue({ type: 'task', commands: ['x'], env: written });
    return parsed.ok && 'env' in parsed.value ? parsed.value.env : REFUSED;
  };
  const names = Object.keys(env);
  const asMapping = read(env);
  const asList = read(names.map((name) => `${name}=${env[name] ?? ''}`));
  // A list takes fewer names and values; `A=B` as a name is another name there.
  if (asList === REFUSED || names.some((name) => name.includes('='))) return;
  if (!isDeepStrictEqual(asMapping, asList))
    throw new Error(`${JSON.stringify(asMapping)} is not ${JSON.stringify(asList)}`);
}
