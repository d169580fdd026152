import { RunnerLog } from '../job/runner-log.js';
import { SpoolWriter } from '../spool/spool-writer.js';

const MAX_BYTES = 16 * 1024 * 1024;

export interface LaunchLog {
  readonly write: (line: string) => void;
  readonly close: () => Promise<void>;
}

/** The job's runner log, while the host side is the only one who writes to it: the job side goes on where this ends. */
export async function openLaunchLog(sharedDir: string, now: () => number): Promise<LaunchLog> {
  const spool = await SpoolWriter.open({ dir: sharedDir, stream: 'runner', now, maxBytes: MAX_BYTES, dropAfterMs: 0 });
  const log = new RunnerLog(spool, now);
  return {
    write: (line) => {
      log.info(line);
    },
    close: async () => {
      await spool.close();
    },
  };
}
