import type { InstanceTerminationReason } from '../wire/enums.js';
import { whyUnwanted, whyUnwantedBeforeLaunch } from './why-unwanted.js';

type Reason = InstanceTerminationReason | null;

it.each<[string, boolean, Reason, Reason]>([
  ['stays while nobody wants it away', false, null, null],
  ['goes for what was said of it', false, 'max_instances_limit', 'max_instances_limit'],
  ['goes with its fleet', true, null, 'terminated_by_user'],
  ['goes with its fleet, whatever was said before', true, 'max_instances_limit', 'terminated_by_user'],
])('a machine %s', (_what, fleetIsGoing, unwanted, expected) => {
  expect(whyUnwanted({ fleetIsGoing, unwanted })).toBe(expected);
});

it.each<[string, Parameters<typeof whyUnwantedBeforeLaunch>[0], Reason]>([
  ['is made for its job', facts({ isMadeForJob: true, hasJobs: true }), null],
  ['is not made when its job has ended', facts({ isMadeForJob: true }), 'job_finished'],
  ['is not made when its job has ended, and says so before all else', facts({ isMadeForJob: true, unwanted: 'max_instances_limit' }), 'job_finished'],
  ['is made for its fleet', facts({}), null],
  ['is not made when its fleet has too many', facts({ unwanted: 'max_instances_limit' }), 'max_instances_limit'],
  ['is made though its fleet has too many, when a job has got it', facts({ hasJobs: true, unwanted: 'max_instances_limit' }), null],
  ['is not made for a fleet that is going', facts({ fleetIsGoing: true }), 'terminated_by_user'],
  ['is not made for a fleet that is going, though a job has it', facts({ fleetIsGoing: true, isMadeForJob: true, hasJobs: true }), 'terminated_by_user'],
])('a machine that does not exist yet %s', (_what, known, expected) => {
  expect(whyUnwantedBeforeLaunch(known)).toBe(expected);
}); // prettier-ignore

function facts(rest: Partial<Parameters<typeof whyUnwantedBeforeLaunch>[0]>) {
  return { fleetIsGoing: false, unwanted: null, isMadeForJob: false, hasJobs: false, ...rest };
}
