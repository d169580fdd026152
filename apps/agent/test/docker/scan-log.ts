import { JobLog } from '../../src/spool/job-log.js';

/** All that the runner log of a job's directory holds. */
export async function scanLog(sharedDir: string): Promise<string> {
  const log = new JobLog(sharedDir, 'runner', () => 0);
  let text = '';
  for await (const frame of log.frames(0, 1024 ** 3, AbortSignal.timeout(5000)))
    text += Buffer.from(frame.payload).toString();
  return text;
}
