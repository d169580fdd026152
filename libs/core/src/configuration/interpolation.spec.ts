import { resolveEnvSentinels, unresolvedEnv } from './env-sentinels.js';
import { interpolateRunConfiguration } from './interpolate-configuration.js';
import { findReferences, interpolate } from './interpolation.js';
import { parseConfigurationValue } from './parse-configuration.js';
import type { RunConfiguration } from './validate.js';

const how = { values: { env: { HOME: '/root', A_1: 'one' } }, passThrough: ['secrets', 'groups'] };

it.each([
  ['plain', 'plain'],
  ['${{ env.HOME }}', '/root'],
  ['${{env.HOME}}/${{   env.A_1   }}', '/root/one'],
  ['echo $$', 'echo $$'],
  ['echo $HOME $$', 'echo $HOME $$'],
  ['$${{ env.HOME }}', '${{ env.HOME }}'],
  ['$ $${{ env.HOME }}', '$ ${{ env.HOME }}'],
  ['${{ secrets.KEY }}', '${{ secrets.KEY }}'],
  ['${{ groups[0].nodes[1].IP_ADDRESS }}', '${{ groups[0].nodes[1].IP_ADDRESS }}'],
  ['${HOME} }} {{ x }}', '${HOME} }} {{ x }}'],
])('%s becomes %s', (written, text) => {
  expect(interpolate(written, how)).toEqual({ ok: true, text });
});

it('an escape is kept for the pass that follows', () => {
  expect(interpolate('$${{ env.HOME }}', { ...how, escapes: 'keep' })).toEqual({ ok: true, text: '$${{ env.HOME }}' });
});

it.each([
  ['${{ env.B }} ${{ env.A }} ${{ env.B }}', ['env.A', 'env.B'], []],
  ['${{ env.HOME', [], ['"${{ env.HOME" is not closed: expected }}']],
  ['${{ toString.x }}', [], ['unknown namespace in ${{ toString.x }}: expected env, secrets, groups']],
  ['${{ env.constructor }}', ['env.constructor'], []],
  ['${{ env }}', [], ['invalid reference ${{ env }}: expected ${{ namespace.name }}']],
  ['${{ env.a.b }}', [], ['invalid reference ${{ env.a.b }}: expected ${{ namespace.name }}']],
  ['${{ env.1a }}', [], ['invalid reference ${{ env.1a }}: expected ${{ namespace.name }}']],
])('%s cannot be filled in', (written, missing, problems) => {
  expect(interpolate(written, how)).toEqual({ ok: false, missing, problems });
});

it('references are found where they may stand', () => {
  expect(findReferences('${{ dstack.job_num }}-${{ x.y }}', ['dstack.job_num', 'dstack.node_rank'])).toEqual({
    references: [
      { name: 'dstack.job_num', namespace: 'dstack' },
      { name: 'x.y', namespace: 'x' },
    ],
    problems: ['unknown reference ${{ x.y }}: expected dstack.job_num, dstack.node_rank'],
  });
});

function run(value: object): RunConfiguration {
  const parsed = parseConfigurationValue({ name: 'r1', ...value });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value as RunConfiguration;
}

it('the client fills in commands, registry_auth and probes, and leaves secrets and addresses to the server', () => {
  const service = run({
    type: 'service',
    port: 80,
    commands: ['serve ${{ run.args }} --peer ${{ groups[0].replicas[0].IP_ADDRESS }} $${{ x }}'],
    registry_auth: { username: '${{ env.WHO }}', password: '${{ secrets.P }}' },
    probes: [{ type: 'http', url: '/${{ env.WHO }}', headers: [{ name: 'A', value: 'Bearer ${{ env.WHO }}' }] }],
  });
  expect(interpolateRunConfiguration(service, { env: { WHO: 'me' }, runArgs: "'a b'" })).toMatchObject({
    commands: ["serve 'a b' --peer ${{ groups[0].replicas[0].IP_ADDRESS }} $${{ x }}"],
    registry_auth: { username: 'me', password: '${{ secrets.P }}' },
    probes: [{ url: '/me', headers: [{ name: 'A', value: 'Bearer me' }] }],
  });
});

it('names that are missing are told with their place', () => {
  const task = run({
    type: 'task',
    commands: ['a', 'b ${{ run.name }}'],
    registry_auth: { username: '${{ env.WHO }}', password: 'x' },
  });
  expect(() => interpolateRunConfiguration(task, { env: {}, runArgs: '' })).toThrow(
    'commands.1: unknown variables: run.name; there is run.args\nregistry_auth.username: unknown variables: env.WHO',
  );
});

it('the commands of groups and the init of a dev environment are filled in', () => {
  const values = { env: {}, runArgs: 'x' };
  expect(
    interpolateRunConfiguration(run({ type: 'task', groups: [{ commands: ['a ${{ run.args }}'] }] }), values),
  ).toMatchObject({ groups: [{ commands: ['a x'] }] });
  expect(
    interpolateRunConfiguration(
      run({ type: 'service', port: 1, groups: [{ replicas: 1, commands: ['a ${{ run.args }}'] }] }),
      values,
    ),
  ).toMatchObject({ replicas: [{ commands: ['a x'] }] });
  expect(
    interpolateRunConfiguration(run({ type: 'dev-environment', init: ['a ${{ run.args }}'] }), values),
  ).toMatchObject({ init: ['a x'] });
});

it('a variable without a value is taken from the environment', () => {
  const task = run({ type: 'task', commands: ['x'], env: ['A=1', 'B', 'C'] });
  expect(unresolvedEnv(task.env as Record<string, string>)).toEqual(['B', 'C']);
  expect(resolveEnvSentinels(task, { B: '2', C: '' }).env).toEqual({ A: '1', B: '2', C: '' });
  expect(() => resolveEnvSentinels(task, { B: '2' })).toThrow('env.C: environment variable C is not set');
});
