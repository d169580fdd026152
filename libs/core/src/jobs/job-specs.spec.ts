import { readFileSync } from 'node:fs';
import { normaliseRunSpec } from '../runs/normalise-run-spec.js';
import type * as Wire from '../wire/generated/api.js';
import { buildJobSpecs } from './job-specs.js';
import { replicaGroups } from './job-groups.js';

const { samples } = JSON.parse(
  readFileSync(new URL('../../../../tools/contract/data/samples.json', import.meta.url), 'utf8'),
) as { samples: { path: string; status: number; headers?: unknown; response: Wire.RunPlan }[] };

const plans = samples.filter((s) => s.path.endsWith('/runs/get_plan') && s.status === 200 && !s.headers);

describe.each(plans.map((sample) => [sample.response.run_spec.run_name, sample.response] as const))(
  'the recorded plan of %s',
  (_name, plan) => {
    const effective = normaliseRunSpec(plan.run_spec, { userSshPublicKey: '<ssh_key_pub>' });

    it('gives the recorded effective spec', () => expect(effective).toEqual(plan.effective_run_spec));

    it('gives the recorded job specs, but for the generated script', () => {
      const groups =
        effective.configuration.type === 'service' ? replicaGroups(effective.configuration).map((g) => g.name) : ['0'];
      const jobs = groups.flatMap((replicaGroup) => buildJobSpecs(effective, { replicaNum: 0, replicaGroup }));
      const masked = jobs.map((job) => ({
        ...job,
        commands: job.commands.map((arg, i) => (i === 3 ? '<generated>' : arg)),
      }));
      expect(masked).toEqual(plan.job_plans.map((each) => each.job_spec));
    });
  },
);
