import { ConfigurationError } from './configuration-error.js';
import { parseConfigurationText } from './parse-configuration.js';
import { parsePort } from './single-values.js';

function failure(text: string | Uint8Array): ConfigurationError {
  try {
    parseConfigurationText(text, { file: 'x.dstack.yml' });
  } catch (error) {
    if (ConfigurationError.is(error)) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const parse = (text: string): unknown => parseConfigurationText(text, { file: 'x.dstack.yml' }).configuration;

it('every mistake is told at once, with its line, column, field and what was probably meant', () => {
  const error = failure(
    'type: task\ncommands:\n  - echo\nresources:\n  gpu: A100:H100\n  memry: 4GB\nspot_policy: Spot\nports: [1, 70000]\n',
  );
  expect(error.toString()).toMatchInlineSnapshot(`
"x.dstack.yml:5:8: resources.gpu: GPU spec "A100:H100": name conflict, it is given twice
  5 |   gpu: A100:H100
             ^
x.dstack.yml:6:3: resources.memry: is not a known property here, did you mean memory?
  6 |   memry: 4GB
        ^
x.dstack.yml:7:14: spot_policy: expected one of spot, on-demand, auto, got "Spot", did you mean spot?
  7 | spot_policy: Spot
                   ^
x.dstack.yml:8:12: ports.1: invalid port "70000": expected a port, "local:container" or "*:container", each port 1..65535
  8 | ports: [1, 70000]
                 ^"
`);
});

it('a type that does not exist is told with the nearest one', () => {
  expect(failure('type: servcie\n').issues).toMatchObject([
    { path: ['type'], line: 1, column: 7, suggestion: 'service' },
  ]);
});

it.each(['local', 'ssh'])(
  '%s, as offers are shown, is suggested by the name that it has in configurations',
  (backend) => {
    expect(failure(`type: task\ncommands: [x]\nbackends: [${backend}]\n`).issues).toMatchObject([
      { path: ['backends', 0], suggestion: 'remote' },
    ]);
  },
);

it('the line of a secret is not shown', () => {
  expect(failure('type: task\ncommands: [x]\nenv:\n  - 1KEY=hunter2\n').toString()).not.toContain('hunter2');
});

it('a key given twice is told with both lines', () => {
  expect(failure('type: task\nimage: a\nimage: b\n').issues).toMatchObject([
    { message: 'the key "image" is given twice, first on line 2', line: 3 },
  ]);
});

it('YAML 1.2 is read, with the words of 1.1 in boolean fields and with merge keys', () => {
  expect(
    parse(
      'type: task\nimage: x\nprivileged: yes\nmax_duration: off\npython: null\nports:\n  - 80:8080\n  - 10:22\nenv: &base\n  PORT: 8080\n  V: 1.10\n  A: yes\n',
    ),
  ).toMatchObject({
    privileged: true,
    max_duration: 'off',
    ports: [
      { local_port: 80, container_port: 8080 },
      { local_port: 10, container_port: 22 },
    ],
    env: { PORT: '8080', V: '1.10', A: 'yes' },
  });
  expect(parse('type: task\ngroups:\n  - &g {commands: [a], nodes: 2}\n  - {<<: *g, name: b}\n')).toMatchObject({
    groups: [{ nodes: 2 }, { name: 'b', nodes: 2, commands: ['a'] }],
  });
  expect(parse('type: task\npython: 3.10\ncommands: [x]\n')).toMatchObject({ python: '3.10' });
});

it('an issue in merged values is told at the nearest place that is written', () => {
  expect(
    failure('type: task\ngroups:\n  - &g {commands: [a], nodes: 0}\n  - {<<: *g, name: b}\n').issues,
  ).toMatchObject([{ line: 3 }, { path: ['groups', 1, 'nodes'], line: 4 }]);
});

it('positions of fields are known after parsing', () => {
  const { errorOf } = parseConfigurationText('type: task\nenv:\n  - A=1\n  - TOKEN\ncommands: [x]\n', { file: 'f' });
  const placeOf = (...path: (string | number)[]) => {
    const [issue] = errorOf([{ kind: 'semantic', path, message: 'm' }]).issues;
    return [issue?.file, issue?.line, issue?.column];
  };
  expect(placeOf('env', 1)).toEqual(['f', 4, 5]);
  expect(placeOf('env', 'TOKEN')).toEqual(['f', 4, 5]);
  expect(placeOf('nodes')).toEqual(['f', 1, 1]);
});

it('a single value given outside a file is told like one in a file', () => {
  expect(parsePort('80:8080')).toEqual({ local_port: 80, container_port: 8080 });
  expect(() => parsePort('80:')).toThrow(ConfigurationError);
  expect(() => parsePort('80:')).toThrow(/^invalid port "80:"/);
});

it('errors of another copy of the package are recognised', () => {
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('dstack.ConfigurationError'), { value: true });
  expect(ConfigurationError.is(foreign)).toBe(true);
  expect(ConfigurationError.is(new Error('x'))).toBe(false);
});

it('a key of the prototype is a key like any other', () => {
  expect(
    failure('type: task\n__proto__: {a: 1}\nconstructor: 3\ncommands: [x]\n').issues.map((issue) => issue.path),
  ).toEqual([['__proto__'], ['constructor']]);
  expect(failure('type: task\nenv: {__proto__: x}\ncommands: [x]\n').issues).toMatchObject([
    { path: ['env', '__proto__'] },
  ]);
});

it.each<[string, string | Uint8Array, string]>([
  ['is empty', '', 'expected a mapping with a type'],
  ['is a list', '- a', 'expected a mapping'],
  ['has several documents', 'a: 1\n---\nb: 2\n', 'several documents'],
  ['does not end', 'type: task\ncommands: [a\n', 'Flow sequence'],
  ['has an unquoted colon', 'resources:\n  gpu: A100:80GB:\n', 'quote a value'],
  ['is not UTF-8', Uint8Array.of(0xff, 0xfe, 0x41), 'not UTF-8'],
  ['has a custom tag', 'type: !new task\n', 'Unresolved tag'],
  ['has a set', 'type: task\ncommands: [x]\nenv: !!set {A, B}\n', 'Unresolved tag'],
  ['refers to itself', 'type: task\nenv: &e\n  A: *e\n', ''],
  ['has an unknown alias', 'type: *t\n', 'alias'],
  ['has mappings as keys', 'type: task\n? {a: 1}\n: 2\n', 'a key must be text'],
])('a file that %s is refused', (_what, text, message) => {
  expect(failure(text).message).toContain(message);
});

const ten = (name: string, of: string) => `${name}: &${name} [${Array.from({ length: 9 }, () => of).join(',')}]`;
it.each<[string, () => string | Uint8Array]>([
  ['10 MB', () => Buffer.alloc(10_000_000, 'a')],
  ['brackets', () => '['.repeat(500_000)],
  ['braces', () => '{a: '.repeat(30_000)],
  ['dashes', () => '- '.repeat(100_000)],
  ['question marks', () => '? '.repeat(400_000)],
  ['quotes', () => '"'.repeat(1_000_000)],
  ['anchors', () => '&a '.repeat(300_000)],
  ['tags', () => '!a '.repeat(300_000)],
  ['keys', () => Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join('\n')],
  ['indentation', () => Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  [
    'aliases of aliases',
    () => ['a: &a [x,x]', ten('b', '*a'), ten('c', '*b'), ten('d', '*c'), ten('e', '*d')].join('\n'),
  ],
])('a file of nothing but %s is refused before it costs much', (_what, make) => {
  const text = make();
  const before = process.cpuUsage();
  expect(failure(text)).toBeInstanceOf(ConfigurationError);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(1000);
});
