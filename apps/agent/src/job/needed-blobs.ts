import type { JobStart } from '@dstack/agent-protocol';

/** SHA-256 of each upload the job cannot start without. */
export function neededBlobs(job: JobStart): string[] {
  const needed = new Set(job.files.map((file) => file.blob));
  const repoBlob = job.repo?.kind === 'remote' ? job.repo.diffBlob : job.repo?.blob;
  if (repoBlob !== undefined) needed.add(repoBlob);
  return [...needed];
}
