import { readFileSync } from 'node:fs';
import { buildJobSpecs } from '../jobs/job-specs.js';
import { normaliseRunSpec } from '../runs/normalise-run-spec.js';
import { resolveEnvSentinels } from './env-sentinels.js';
import { interpolateRunConfiguration } from './interpolate-configuration.js';
import { parseConfigurationText } from './parse-configuration.js';
import { parseFleetSpecValue, parseRunSpecValue } from './run-spec.js';
import type { RunConfiguration } from './validate.js';

const file = new URL('../../test/documented-configurations.txt', import.meta.url);
const [, ...sections] = readFileSync(file, 'utf8').split(/^=== /m);
const documented = sections.map((section): [string, string] => {
  const end = section.indexOf('\n');
  return [section.slice(0, end), section.slice(end + 1)];
});

/** As a user who has set every variable a configuration asks for. */
function environmentOf(text: string): Record<string, string> {
  const names = text.match(/^\s*- ([A-Z][A-Z0-9_]*)$/gm) ?? [];
  return Object.fromEntries(names.map((line) => [line.replace(/^\s*- /, ''), 'value']));
}

it('there are documented tasks, dev environments and fleets', () => {
  expect(documented.length).toBeGreaterThan(80);
  for (const type of ['task', 'dev-environment', 'fleet'])
    expect(documented.filter(([name]) => name.startsWith(`${type},`)).length).toBeGreaterThanOrEqual(15);
});

it.each(documented)('%s works as it is documented', (name, text) => {
  const { configuration } = parseConfigurationText(text, { file: name });
  if (configuration.type === 'fleet') {
    expect(parseFleetSpecValue({ configuration, profile: { name: 'default' } })).toMatchObject({ ok: true });
    return;
  }
  const resolved = resolveEnvSentinels(configuration as RunConfiguration, environmentOf(text));
  const finished = interpolateRunConfiguration(resolved, { env: resolved.env, runArgs: '' });
  const parsed = parseRunSpecValue({ run_name: 'documented', configuration: finished });
  expect(parsed).toMatchObject({ ok: true });
  if (!parsed.ok) return;
  const effective = normaliseRunSpec(parsed.value, { userSshPublicKey: null });
  const jobs = buildJobSpecs(effective, { replicaNum: 0 });
  expect(jobs.length).toBeGreaterThan(0);
});
