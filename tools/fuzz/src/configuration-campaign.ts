import { isDeepStrictEqual } from 'node:util';
import {
  ConfigurationError,
  type ConfigurationIssue,
  editorSchema,
  parseConfigurationText,
  parseConfigurationValue,
  parseFleetSpecValue,
  parseProfileValue,
  parseRunSpecValue,
} from '@dstack/core';
import fc from 'fast-check';
import { type Campaign, trial } from './campaign.js';
import { configurationTexts, workingConfigurations } from './configuration-values.js';
import { cpuMs } from './cpu-time.js';
import { type Schema, type SchemaSource, fromSchema } from './from-schema.js';
import { junk } from './junk.js';
import { mutated, placesIn, put } from './mutate.js';
import { toYaml } from './to-yaml.js';

const CASES = 400;
const LARGEST = 16_000;
/** Of the processor: less is no harm, whatever it grows like, and too little to compare on a busy machine. */
const NOTABLE_MS = 2_000;
const STEP = 8;
/** Eight times the length costs eight times as much; where each item looks at all others, sixty-four times. */
const MOST_TIMES = 24;

export const configurationCampaign: Campaign = {
  name: 'configurations',
  what: 'the configuration language: values, YAML texts, and what they cost to read',
  open: async () => ({
    trials: [
      trial('what is read is read again, unchanged; what is not says where', CASES, fc.property(values, readTwice)),
      trial('a text says what its value says, with lines', CASES, fc.property(values, textLikeValue)),
      trial(
        'no damaged text fails in another way',
        CASES,
        fc.property(damagedText, (text) => void readText(text)),
      ),
      trial('a long list or mapping costs what its length does', 40, fc.property(long, readLong)),
    ],
    close: async () => undefined,
  }),
};

const schema = editorSchema();
const definitions = schema['definitions'] as Readonly<Record<string, Schema>>; // made of zod's own schemas

const source: SchemaSource = {
  resolve: (reference) => definitions[reference.slice('#/definitions/'.length)] ?? {},
  texts: configurationTexts,
};

const ofSchema = fc
  .constantFrom(...Object.keys(definitions).filter((name) => definitions[name]?.properties?.['type'] !== undefined))
  .chain((name) => fromSchema(definitions[name] ?? {}, source));

const good = fc.oneof({ weight: 2, arbitrary: workingConfigurations }, { weight: 3, arbitrary: ofSchema });
const values = fc.oneof(
  { weight: 3, arbitrary: good },
  { weight: 4, arbitrary: good.chain(mutated) },
  { weight: 1, arbitrary: junk },
);

function checkIssues(issues: readonly ConfigurationIssue[]): void {
  if (issues.length === 0) throw new Error('refused without a reason');
  for (const { message, path } of issues) {
    if (message === '' || message.length > 1_000)
      throw new Error(`a message of ${message.length} characters: ${message.slice(0, 200)}`);
    if (!path.every((part) => typeof part === 'string' || typeof part === 'number'))
      throw new Error('a path that is none');
  }
}

function readTwice(value: unknown): void {
  const parsed = parseConfigurationValue(value);
  for (const other of [
    parseRunSpecValue({ configuration: value }),
    parseFleetSpecValue({ configuration: value }),
    parseProfileValue(value),
  ])
    if (!other.ok) checkIssues(other.issues);
  if (!parsed.ok) {
    checkIssues(parsed.issues);
    return;
  }
  const again = parseConfigurationValue(JSON.parse(JSON.stringify(parsed.value)));
  // A very long list of short forms is read; written out it can be more than is taken at once.
  if (!again.ok && again.issues.every(({ message }) => message.startsWith('has more than'))) return;
  if (!again.ok)
    throw new Error(`refused the second time: ${JSON.stringify(again.issues)}\n${JSON.stringify(parsed.value)}`);
  if (!isDeepStrictEqual(again.value, parsed.value))
    throw new Error(`${JSON.stringify(parsed.value)}\nbecame\n${JSON.stringify(again.value)}`);
  if (({} as Record<string, unknown>)['x'] !== undefined) throw new Error('the prototype of objects was changed');
}

/** Undefined: refused, and said where. */
function readText(text: string): unknown {
  const read = parsedOrRefused(text);
  if (!(read instanceof ConfigurationError)) return read;
  checkIssues(read.issues);
  const lines = text.split('\n').length + 1;
  for (const { file, line, column } of read.issues) {
    if (file !== 'f.yml') throw new Error('no file');
    if (line !== undefined && (line < 1 || line > lines || column === undefined || column < 1))
      throw new Error(`line ${line}, column ${column} of ${lines} lines`);
  }
  const shown = read.toString();
  if (shown.length > 100_000) throw new Error(`an error of ${shown.length} characters`);
  return undefined;
}

function parsedOrRefused(text: string): unknown {
  try {
    return parseConfigurationText(text, { file: 'f.yml' }).configuration;
  } catch (error) {
    if (ConfigurationError.is(error)) return error;
    throw error;
  }
}

function textLikeValue(value: unknown): void {
  // As JSON has it: no `undefined`, no keys that only a prototype has.
  const plain = JSON.parse(JSON.stringify(value)) as unknown;
  const parsed = parseConfigurationValue(plain);
  const read = readText(toYaml(plain));
  if (parsed.ok && read === undefined && JSON.stringify(plain).length < 20_000)
    throw new Error(`only the value is read: ${toYaml(plain)}`);
  if (
    parsed.ok &&
    read !== undefined &&
    !isDeepStrictEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(parsed.value)))
  )
    throw new Error(`${JSON.stringify(read)}\nis not\n${JSON.stringify(parsed.value)}`);
}

const FRAGMENTS = [
  '&a ',
  '*a',
  '<<: *a',
  '<<: [*a, *a]',
  '!!binary x',
  '!!js/function x',
  '? ',
  '| \n',
  '>-\n ',
  '%YAML 1.2\n',
  '---\n',
  '...\n',
  '\t',
  '\u0000',
  '\u0085',
  '\u2028',
  '\ufeff',
  '{',
  ']',
  ': ',
  '- ',
  '#',
  '"',
  "'",
  '0o17',
  '1e999',
  '.nan',
  '2026-01-01',
  '~',
  'y',
  '__proto__: {x: 1}\n',
  'constructor: {prototype: {x: 1}}\n',
  '${{ secrets.x }}',
  '💥',
  '\ud800',
];

const damagedText = fc
  .record({
    value: good,
    cuts: fc.array(fc.record({ at: fc.nat(), cut: fc.nat({ max: 12 }), put: fc.constantFrom(...FRAGMENTS) }), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ value, cuts }) =>
    cuts.reduce((text, { at, cut, put: fragment }) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + fragment + text.slice(place + cut);
    }, toYaml(value)),
  );

/** A value with a list or mapping of it many times as long; and as a text that is long without it, where it is one. */
const long = good.chain((value) =>
  fc.record({
    value: fc.constant(value),
    place: fc.nat(),
    item: fc.oneof(configurationTexts, fc.constant(null), fc.constant({ a: 1 })),
    shape: fc.constantFrom('list', 'same', 'mapping', 'text'),
  }),
);

function readLong({
  value,
  place,
  item,
  shape,
}: {
  value: unknown;
  place: number;
  item: unknown;
  shape: string;
}): void {
  const places = placesIn(value);
  const path = places[place % places.length] ?? [];
  const longer = (length: number): unknown => {
    const keys = Array.from({ length }, (_key, index) => `k${index}`);
    if (shape === 'mapping') return put(value, path, Object.fromEntries(keys.map((key) => [key, item])));
    if (shape === 'text') return put(value, path, `${String(item)},`.repeat(length));
    return put(
      value,
      path,
      keys.map((key) => (shape === 'same' || typeof item !== 'string' ? item : `${item}${key}`)),
    );
  };
  const msFor = (length: number): number => {
    const input = longer(length);
    return cpuMs(() => parseConfigurationValue(input));
  };
  const ms = msFor(LARGEST);
  if (ms < NOTABLE_MS) return;
  const before = msFor(LARGEST / STEP);
  if (ms > MOST_TIMES * before)
    throw new Error(
      `${Math.round(ms)} ms for ${LARGEST}, ${Math.round(before)} ms for ${LARGEST / STEP} at ${path.join('.')}`,
    );
}
