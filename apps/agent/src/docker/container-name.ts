import { createHash } from 'node:crypto';

/** Readable for people, distinct for two submissions of one job. */
export function containerName(jobName: string, jobId: string): string {
  const hash = createHash('sha256').update(`${jobName}/${jobId}`).digest('hex').slice(0, 8);
  const plain = jobName.replaceAll(/[^a-zA-Z0-9_.-]/g, '-').replace(/^[^a-zA-Z0-9]+/, '');
  return `${plain === '' ? 'job' : plain}-${hash}`;
}
