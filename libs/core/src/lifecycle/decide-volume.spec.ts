import { forceDetachAt } from './decide-attachment.js';
import { decideVolume } from './decide-volume.js';
import { LIMITS } from './limits.js';
import type {
  ActiveVolume,
  AttachmentFact,
  FailedVolume,
  ProvisioningVolume,
  SubmittedVolume,
} from './volume-snapshot.js';
import type { Trouble } from './trouble.js';

const NOW = 1_000_000_000;
const base = { id: 'v', createdAt: NOW - 1000, statusChangedAt: NOW - 1000 };

const submitted = (given: Partial<SubmittedVolume> = {}): SubmittedVolume => ({
  ...base,
  status: 'submitted',
  isExternal: false,
  isNamed: false,
  exists: false,
  trouble: null,
  deletionRequested: false,
  ...given,
});
const provisioning = (given: Partial<ProvisioningVolume> = {}): ProvisioningVolume => ({
  ...base,
  status: 'provisioning',
  exists: false,
  trouble: null,
  deletionRequested: false,
  ...given,
});
const failed = (given: Partial<FailedVolume> = {}): FailedVolume => ({
  ...base,
  status: 'failed',
  deletionRequested: false,
  isGone: false,
  trouble: null,
  ...given,
});
const active = (given: Partial<ActiveVolume> = {}): ActiveVolume => ({
  ...base,
  status: 'active',
  attachable: true,
  attachments: [],
  lastUsedAt: null,
  cleanupMs: null,
  deletionRequested: false,
  ...given,
});
const attachment = (given: Partial<AttachmentFact> = {}): AttachmentFact => ({
  instanceId: 'i',
  isAttached: false,
  wasAsked: false,
  machine: 'ready',
  release: null,
  refusedBecause: null,
  nextTryAt: 0,
  ...given,
});
const trouble = (given: Partial<Trouble> = {}): Trouble => ({
  failures: 1,
  nextTryAt: NOW,
  message: 'EBS is down',
  isFinal: false,
  ...given,
});
const release = { requestedAt: NOW, stopMs: 300_000, isAborted: false };

describe('a volume', () => {
  it.each([
    ['gets its name first', submitted(), 'submitted', [{ do: 'plan' }]],
    ['is looked up when it exists already', submitted({ isExternal: true }), 'submitted', [{ do: 'register' }]],
    ['commits the name before anything is created', submitted({ isNamed: true }), 'provisioning', []],
    ['is created under that name', provisioning(), 'provisioning', [{ do: 'create' }]],
    ['is active when the cloud has it', provisioning({ exists: true }), 'active', []],
    ['is active when it was found', submitted({ isExternal: true, exists: true }), 'active', []],
    ['waits for its next try', provisioning({ trouble: trouble({ nextTryAt: NOW + 1 }) }), 'provisioning', []],
    ['fails for a final answer', provisioning({ trouble: trouble({ isFinal: true }) }), 'failed', []],
    [
      'fails when a passing trouble does not pass',
      provisioning({ createdAt: NOW - LIMITS.volumeCreateMs, trouble: trouble() }),
      'failed',
      [],
    ],
    ['is deleted while it is only wished for', submitted({ deletionRequested: true }), 'deleting', []],
    ['is deleted after it failed', failed({ deletionRequested: true }), 'deleting', []],
    ['stays failed when nothing of it is left', failed({ isGone: true }), 'failed', []],
    [
      'that failed costs nothing: what a call without an answer made is deleted',
      failed({}),
      'failed',
      [{ do: 'delete' }],
    ],
    [
      'that failed is deleted later when the cloud cannot',
      failed({ trouble: { failures: 1, nextTryAt: NOW + 1 } }),
      'failed',
      [],
    ],
    ['is deleted when nobody has it', active({ deletionRequested: true }), 'deleting', []],
    [
      'is asked to be deleted until it is gone',
      { ...base, status: 'deleting' as const, isGone: false, trouble: null },
      'deleting',
      [{ do: 'delete' }],
    ],
  ])('%s', (_rule, volume, status, effects) => {
    expect(decideVolume(volume, NOW)).toMatchObject({ status, effects });
  });

  it('is not deleted under a job', () => {
    const attached = active({
      deletionRequested: true,
      attachments: [attachment({ isAttached: true, wasAsked: true })],
    });
    expect(decideVolume(attached, NOW)).toMatchObject({ status: 'active', effects: [] });
  });

  it('is told as gone once', () => {
    const gone = { ...base, status: 'deleting' as const, isGone: true, trouble: null };
    expect(decideVolume(gone, NOW)).toMatchObject({ changes: { deletedAt: NOW }, dueAt: null });
  });

  it.each([
    ['its creation when no job used it', null, NOW - 1000 + 60_000],
    ['the end of the last job', NOW - 10, NOW - 10 + 60_000],
  ])('counts the time without use from %s', (_from, lastUsedAt, deadline) => {
    const volume = active({ cleanupMs: 60_000, lastUsedAt });
    expect(decideVolume(volume, NOW)).toMatchObject({ status: 'active', dueAt: deadline });
    expect(decideVolume(volume, deadline)).toMatchObject({ status: 'deleting' });
  });
});

describe('an attachment', () => {
  const cases: [string, AttachmentFact, readonly object[]][] = [
    ['waits for its machine', attachment({ machine: 'starting' }), []],
    ['is made when the machine is there', attachment(), [{ do: 'attach', instanceId: 'i' }]],
    ['is left alone while its job runs', attachment({ isAttached: true, wasAsked: true }), []],
    ['is not tried again after a refusal', attachment({ wasAsked: true, refusedBecause: 'in use' }), []],
    ['is forgotten when nobody had asked for it', attachment({ release }), [{ do: 'forget', instanceId: 'i' }]],
    ['is forgotten when there never was a machine', attachment({ machine: 'none', release }), [{ do: 'forget', instanceId: 'i' }]],
    ['is undone after its job', attachment({ isAttached: true, wasAsked: true, release }), [{ do: 'detach', instanceId: 'i', force: false }]],
    ['is undone when nobody knows whether it was made', attachment({ wasAsked: true, release }), [{ do: 'detach', instanceId: 'i', force: false }]],
    ['is undone at a machine that is gone', attachment({ isAttached: true, machine: 'gone', release }), [{ do: 'detach', instanceId: 'i', force: false }]],
    ['is not asked for all the time', attachment({ isAttached: true, release, nextTryAt: NOW + 1 }), []],
  ]; // prettier-ignore
  it.each(cases)('%s', (_rule, fact, effects) => {
    expect(decideVolume(active({ attachments: [fact] }), NOW).effects).toEqual(effects);
  });

  it('is made when the volume has left the machine that failed to start', () => {
    const leaving = attachment({ instanceId: 'first', wasAsked: true, release });
    const next = attachment({ instanceId: 'next' });
    expect(decideVolume(active({ attachments: [leaving, next] }), NOW).effects).toEqual([
      { do: 'detach', instanceId: 'first', force: false },
    ]);
    expect(decideVolume(active({ attachments: [next] }), NOW).effects).toEqual([{ do: 'attach', instanceId: 'next' }]);
  });

  it('is forced when the time to stop is over', () => {
    const stuck = active({ attachments: [attachment({ isAttached: true, wasAsked: true, release })] });
    expect(decideVolume(stuck, NOW + 299_999).effects).toMatchObject([{ force: false }]);
    expect(decideVolume(stuck, NOW + 300_000).effects).toMatchObject([{ force: true }]);
  });

  it.each([
    ['after a minute when the run was aborted', { ...release, isAborted: true }, NOW + 60_000],
    ['not before a minute', { ...release, stopMs: 1000 }, NOW + 60_000],
    ['never without a limit', { ...release, stopMs: null }, null],
    [
      'after a minute when a run without a limit was aborted',
      { ...release, stopMs: null, isAborted: true },
      NOW + 60_000,
    ],
  ])('may be forced %s', (_rule, fact, at) => {
    expect(forceDetachAt(fact)).toBe(at);
  });

  it('of a volume bound at creation ends with its machine', () => {
    const bound = (machine: AttachmentFact['machine']) =>
      active({ attachable: false, attachments: [attachment({ isAttached: true, machine, release })] });
    expect(decideVolume(bound('ready'), NOW).effects).toEqual([]);
    expect(decideVolume(bound('gone'), NOW).effects).toEqual([{ do: 'forget', instanceId: 'i' }]);
  });
});
