import type { JobState } from '@dstack/agent-protocol';
import type { JobStatePatch } from '../job/job-state-store.js';

/** What the host's state of a job takes over from the job side's: phases of its own come first, and revisions are the host's. */
export function patchFromJobSide(job: JobState, publishedSshPort: number | undefined): JobStatePatch {
  const { id: _id, revision: _revision, phaseAt: _phaseAt, phase, sshPort, ...rest } = job;
  const port = sshPort === undefined ? undefined : (publishedSshPort ?? sshPort);
  return {
    ...rest,
    // To the job side `waiting` means that it has just begun; the host has all blobs by then.
    phase: phase === 'waiting' ? 'starting' : phase,
    ...(port === undefined ? {} : { sshPort: port }),
  };
}
