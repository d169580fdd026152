import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { ConfigurationError } from './configuration-error.js';
import { examples } from '../../test/examples.js';
import { interpolate } from './interpolation.js';
import { parseConfigurationText, parseConfigurationValue } from './parse-configuration.js';
import { parseFleetSpecValue, parseProfileValue, parseRunSpecValue } from './run-spec.js';
import { configurationTypes } from './validate.js';

function isRefusedOrRead(text: string | Uint8Array): void {
  try {
    parseConfigurationText(text, { file: 'f' });
  } catch (error) {
    if (!ConfigurationError.is(error)) throw error;
    expect(error.issues.length).toBeGreaterThan(0);
    expect(typeof error.toString()).toBe('string');
  }
}

it('no text makes the parser fail in another way than ConfigurationError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ unit: fc.constantFrom(...'{}[]:,&*!|>?-#"\'%@` \n\tab0<~.'), maxLength: 200 }),
      ),
      isRefusedOrRead,
    ),
    { numRuns: 400 },
  );
});

it('no bytes do', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isRefusedOrRead), { numRuns: 200 });
});

it('no damaged example does', () => {
  const damaged = fc
    .tuple(
      fc.constantFrom(...Object.values(examples)),
      fc.nat(),
      fc.nat({ max: 8 }),
      fc.string({ unit: fc.constantFrom(...'{}[]:,&*!-"\' \n0a.'), maxLength: 6 }),
    )
    .map(([text, at, cut, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut));
  fc.assert(fc.property(damaged, isRefusedOrRead), { numRuns: 400 });
});

const keys = fc.constantFrom(
  'type',
  'name',
  'env',
  'gpu',
  'cpu',
  'replicas',
  'groups',
  'nodes',
  'resources',
  'ports',
  'volumes',
  'ssh_config',
  'hosts',
  'retry',
  'min',
  'max',
  'size',
  'probes',
  'model',
  '__proto__',
  'constructor',
  'toString',
  'backend',
  'fleets',
  'repos',
  'schedule',
  'cron',
  'tags',
  'configuration',
  'profile',
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, -1, 1.5, '', '1..', 'A100:2', 'off', '1h', ...configurationTypes),
    fc.double(),
    fc.string({ maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 6 }),
  ),
})).value;

it('no value makes the readers of requests throw', () => {
  const typed = fc
    .tuple(fc.constantFrom(...configurationTypes), fc.dictionary(keys, values))
    .map(([type, fields]) => ({ ...fields, type }));
  fc.assert(
    fc.property(typed, values, (configuration, value) => {
      for (const parsed of [
        parseConfigurationValue(configuration),
        parseConfigurationValue(value),
        parseRunSpecValue({ configuration }),
        parseRunSpecValue(value),
        parseFleetSpecValue(value),
        parseProfileValue(value),
      ]) {
        if (!parsed.ok) expect(parsed.issues.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 200 },
  );
});

it('what is accepted is accepted again, unchanged', () => {
  const fields = fc.record(
    {
      nodes: fc.integer({ min: 1, max: 9 }),
      resources: fc.record(
        {
          cpu: fc.constantFrom(2, '4..', 'x86:2'),
          gpu: fc.constantFrom('A100', 1, '24GB..:2', { count: '1..2' }),
          memory: fc.constantFrom('16GB..', 8, '512MB'),
        },
        { requiredKeys: [] },
      ),
      max_duration: fc.constantFrom('off', '2h', 90, false, true),
      idle_duration: fc.constantFrom('off', '2h', -1),
      env: fc.constantFrom(['A=1', 'B'], { A: 'x' }),
      ports: fc.array(fc.constantFrom(80, '80:90', '*:22')),
      retry: fc.constantFrom(true, { duration: '1h' }),
      fleets: fc.constantFrom(['a', 'b/c']),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fields, (given) => {
      const once = parseConfigurationValue({ type: 'task', commands: ['x'], ...given });
      expect(once.ok).toBe(true);
      expect(once.ok && parseConfigurationValue(once.value)).toEqual(once);
    }),
  );
});

/** CPU, not wall time: other work on the machine must not make it fail. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

it('no long text in any field costs more than reading it', () => {
  const slow: string[] = [];
  for (const [name, text] of Object.entries({ ...examples, 'every short form': shortForms })) {
    const written: unknown = parseYaml(text, { merge: true });
    for (const path of textPaths(written)) {
      for (const unit of ['a', '1', ' ', 'a@', 'a:', 'a/', '.', '-', '..', '${{ ', '1,', '+']) {
        const value = unit.repeat(100_000 / unit.length) + '!';
        const ms = cpuMs(() => parseConfigurationValue(withValue(written, path, value)));
        if (ms > 1000) slow.push(`${name}: ${path.join('.')}: ${unit}… took ${Math.round(ms)} ms`);
      }
    }
  }
  expect(slow).toEqual([]);
});

const shortForms = `{type: task, commands: [x], repos: [a], files: [a], volumes: ['a:/b'], ports: ['80'], env: [A=b], user: a, max_price: '1',
  fleets: [a], schedule: {cron: '* * * * *'}, max_duration: 1h, idle_duration: 1h, tags: {a: b}, entrypoint: a, python: '3.12',
  resources: {cpu: '2', gpu: A100, memory: 1GB, disk: 1GB, shm_size: 1GB}, utilization_policy: {min_gpu_utilization: '1', time_window: 1h}}`;

function textPaths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return path.at(-1) === 'type' ? [] : [path];
  return Object.entries(value).flatMap(([key, child]) => textPaths(child, [...path, key]));
}

function withValue(root: unknown, path: readonly string[], value: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined || typeof root !== 'object' || root === null) return value;
  const fields = { ...root, [key]: withValue((root as Record<string, unknown>)[key], rest, value) };
  return Array.isArray(root) ? Object.values(fields) : fields;
}

it.each([
  ['10 MB', 'type: task\ncommands:\n' + '  - echo hello\n'.repeat(700_000)],
  ['many lines', 'type: task\ncommands:\n' + '  - echo\n'.repeat(90_000)],
  ['block mappings in block mappings', Array.from({ length: 1400 }, (_, i) => ' '.repeat(i) + 'a:').join('\n')],
  ['lists in lists', '- '.repeat(9_000)],
  ['brackets', '['.repeat(100_000)],
  ['anchors of anchors', 'a: &a [x,x,x,x]\n' + 'bcdefgh'.replaceAll(/./g, (c) => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)},`.repeat(9)}]\n`)],
])('a file of %s is refused at once', (_what, text) => {
  expect(() => parseConfigurationText(text, { file: 'f' })).toThrow(ConfigurationError);
  // 50 ms is the promise; the rest is for slower machines.
  expect(Math.min(...[1, 2, 3].map(() => cpuMs(() => isRefusedOrRead(text))))).toBeLessThan(100);
}); // prettier-ignore

it('many rare schedules cost little, for they are few', () => {
  const cron = Array.from({ length: 10_000 }, () => '0 0 30 2 *');
  const value = { type: 'task', commands: ['x'], schedule: { cron } };
  expect(parseConfigurationValue(value)).toMatchObject({ ok: false });
  expect(cpuMs(() => parseConfigurationValue(value))).toBeLessThan(1000);
});

it('a spec with a million mistakes is refused with the first', () => {
  const configuration = { type: 'task', commands: ['${{ secrets.a }}'.repeat(1_000_000)] };
  const parsed = parseRunSpecValue({ configuration });
  expect(parsed.ok ? 0 : parsed.issues.length).toBe(100);
});

it.each([{ max_duration: '-0' }, { priority: '-0' }])('-0 is 0: %j', (fields) => {
  const parsed = parseConfigurationValue({ type: 'task', commands: ['x'], ...fields });
  expect(parsed).toMatchObject({ ok: true, value: Object.fromEntries(Object.keys(fields).map((name) => [name, 0])) });
});

it.each([{ commands: ['a\0b'] }, { env: { A: '\0' } }, { env: ['A=\0'] }, { image: 'a\0' }])(
  'a NUL is refused, for no program could be given it: %j',
  (fields) => {
    const parsed = parseConfigurationValue({ type: 'task', commands: ['x'], ...fields });
    expect(parsed.ok ? [] : parsed.issues.map(({ message }) => message)).toEqual([expect.stringMatching(/NUL/)]);
  },
);

it('interpolation never throws, and leaves text without references as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'${} .ab') }), (text) => {
      const result = interpolate(text, { values: { a: { b: 'x' } } });
      if (!text.includes('${{')) expect(result).toEqual({ ok: true, text });
    }),
    { numRuns: 400 },
  );
});
