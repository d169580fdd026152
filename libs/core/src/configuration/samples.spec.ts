import { readFileSync } from 'node:fs';
import { parseConfigurationValue, parseFleetSpecValue, parseRunSpecValue } from '../index.js';

interface Sample {
  readonly path: string;
  readonly request?: Record<string, unknown>;
  readonly response?: Record<string, unknown>;
  readonly status: number;
}

const { samples } = JSON.parse(
  readFileSync(new URL('../../../../tools/contract/data/samples.json', import.meta.url), 'utf8'),
) as { samples: Sample[] };
const plans = samples.filter((sample) => sample.path.endsWith('runs/get_plan') && sample.status === 200);

it.each(plans.map((sample, index) => [index, sample] as const))(
  'run plan %i: a run spec is answered expanded',
  (_index, { request, response }) => {
    const answered = response?.['run_spec'] as Record<string, unknown>;
    const parsed = parseRunSpecValue(request?.['run_spec']);
    expect(parsed).toMatchObject({ ok: true });
    if (!parsed.ok) return;
    const expected = structuredClone(answered);
    // Older clients are sent references as text; that is the server's adaptation, not the language's.
    const fleets = (expected['configuration'] as Record<string, unknown>)['fleets'];
    if (Array.isArray(fleets))
      (expected['configuration'] as Record<string, unknown>)['fleets'] = fleets.map((fleet: unknown) =>
        typeof fleet === 'string' ? { project: null, name: fleet } : fleet,
      );
    expect(parsed.value).toEqual(expected);
    expect(parseRunSpecValue(parsed.value)).toEqual(parsed);
  },
);

const fleetPlans = samples.filter((sample) => sample.path.endsWith('fleets/get_plan') && sample.status === 200);
it.each(fleetPlans.map((sample, index) => [index, sample] as const))(
  'fleet plan %i: a fleet spec is answered expanded',
  (_index, { request, response }) => {
    const parsed = parseFleetSpecValue(request?.['spec']);
    expect(parsed).toEqual({ ok: true, value: response?.['spec'] });
  },
);

it('a volume is answered expanded', () => {
  const created = samples.find((sample) => sample.path.endsWith('volumes/create') && sample.status === 200);
  expect(parseConfigurationValue(created?.request?.['configuration'])).toEqual({
    ok: true,
    value: created?.response?.['configuration'],
  });
});
