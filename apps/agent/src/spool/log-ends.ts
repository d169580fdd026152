import type { LogStream } from '@dstack/agent-protocol';
import { findSpoolEnd } from './spool-end.js';

/** Where the streams of a job end on disk; 0 for one that never began. */
export async function findLogEnds(dir: string): Promise<Record<LogStream, number>> {
  const end = (stream: LogStream): Promise<number> =>
    findSpoolEnd(dir, stream).then(
      ({ offset }) => offset,
      () => 0,
    );
  return { job: await end('job'), runner: await end('runner') };
}
