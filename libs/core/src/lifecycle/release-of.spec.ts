import { releaseOf, type SeatedVolume, type VolumeUser } from './release-of.js';

const T = 1_000_000;
const SEATED: SeatedVolume = { instanceId: 'here', createdAt: T, releasedAt: null };
const RUNNING: VolumeUser = {
  status: 'running',
  instanceId: 'here',
  finishedAt: null,
  stopDurationSeconds: undefined,
  terminationReason: null,
};
const DONE: VolumeUser = { ...RUNNING, status: 'done', finishedAt: T + 5 };

it.each<[string, Partial<SeatedVolume>, VolumeUser | null, number | null]>([
  ['is not over while its job runs', {}, RUNNING, null],
  ['is over when its job gives it up', { releasedAt: T + 3 }, RUNNING, T + 3],
  ['is over with its job', {}, DONE, T + 5],
  ['was over before its job', { releasedAt: T + 3 }, DONE, T + 3],
  ['is over when its job is at another machine', {}, { ...RUNNING, instanceId: 'there' }, T],
  ['is over when its job is forgotten', {}, null, T],
])('the seat of a volume %s', (_what, seated, job, requestedAt) => {
  expect(releaseOf({ ...SEATED, ...seated }, job)?.requestedAt ?? null).toBe(requestedAt);
});

it.each<[string, Partial<VolumeUser>, number | null, boolean]>([
  ['after the default time', {}, 300_000, false],
  ['after its own time', { stopDurationSeconds: 7 }, 7_000, false],
  ['never, where the time is off', { stopDurationSeconds: null }, null, false],
  ['never, where 0.21 says off', { stopDurationSeconds: -1 }, null, false],
  ['at once, where the run was aborted', { terminationReason: 'aborted_by_user' }, 300_000, true],
])('a volume may be taken by force %s', (_what, job, stopMs, isAborted) => {
  expect(releaseOf(SEATED, { ...DONE, ...job })).toMatchObject({ stopMs, isAborted });
});
