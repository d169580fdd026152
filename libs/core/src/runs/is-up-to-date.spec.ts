import { expect, it } from '@jest/globals';
import { IMAGE_DEFAULTS } from '../jobs/image.js';
import { buildJobSpecs } from '../jobs/job-specs.js';
import type * as Wire from '../wire/generated/api.js';
import { type DeployedReplica, isUpToDate } from './is-up-to-date.js';
import { normaliseRunSpec } from './normalise-run-spec.js';

const specOf = (over: Partial<Wire.ServiceConfiguration> = {}): Wire.RunSpec =>
  normaliseRunSpec(
    { run_name: 'chat', configuration: { type: 'service', port: 8000, image: 'a', commands: ['serve'], ...over } },
    { userSshPublicKey: 'key' },
  );
const [job] = buildJobSpecs(specOf(), { replicaNum: 0, images: IMAGE_DEFAULTS, replicaGroup: '0' });
if (job === undefined) throw new Error('a service has a job');
const replica: DeployedReplica = { status: 'running', deploymentNum: 1, replicaGroup: '0', replicaNum: 0, spec: job };

it.each<[string, Wire.RunSpec, Partial<DeployedReplica>, boolean]>([
  ['of the present deployment', specOf({ image: 'b' }), { deploymentNum: 2 }, true],
  ['whose job would be the same', specOf({ replicas: { min: 1, max: 3 } }), {}, true],
  ['whose job would be another', specOf({ image: 'b' }), {}, false],
  ['of a group that is no more', specOf(), { replicaGroup: 'gone' }, false],
  ['that has ended before the present deployment', specOf(), { status: 'done' }, false],
])('a replica %s is up to date, or not', (_what, spec, over, expected) => {
  expect(isUpToDate({ name: 'chat', spec, deploymentNum: 2 }, { ...replica, ...over }, IMAGE_DEFAULTS)).toBe(expected);
});
