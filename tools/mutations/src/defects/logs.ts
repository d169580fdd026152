import type { Defect } from '../defect.js';

const PUMP = 'apps/server/src/agents/log-pump.ts';

/** What jobs print, once and in order. */
export const LOG_DEFECTS: readonly Defect[] = [
  {
    name: 'acknowledged-before-it-is-stored',
    loses: 'output that the agent has thrown away when the server dies',
    edits: [
      {
        file: PUMP,
        find: `    const durable = await appendFrames(store, key, end, frames).catch(breakOff);
    acknowledgements.send(durable);`,
        replace: `    acknowledgements.send(frames.at(-1)?.endOffset ?? end);
    const durable = await appendFrames(store, key, end, frames).catch(breakOff);`,
      },
    ],
  },
  {
    name: 'tail-of-the-log-is-dropped',
    loses: 'the last words of a job: why it failed',
    knownFrom: 'the field',
    edits: [
      {
        file: 'libs/core/src/lifecycle/decide-terminating-job.ts',
        find: 'if (isDurable) return',
        replace: 'if (isDurable || agent.finishedAt !== undefined) return',
      },
    ],
  },
  {
    name: 'append-does-not-look-where-the-log-ends',
    loses: 'the order of the log when a host is connected again: lines stand there twice',
    edits: [
      {
        file: 'apps/server/src/logs/sql-log-store.ts',
        find: `stream = ? AND end_offset = ? AND closed = ?',
        [end, key.jobId, key.stream, startOffset, false],`,
        replace: `stream = ? AND closed = ?',
        [end, key.jobId, key.stream, false],`,
      },
    ],
  },
  {
    name: 'log-is-sent-again-on-reconnect',
    loses: 'the log of a job whose host was away for a moment: it begins anew in the middle',
    edits: [
      {
        file: PUMP,
        find: 'agent.logs(key.jobId, stream, writer.end, WINDOW_BYTES, both)',
        replace: 'agent.logs(key.jobId, stream, 0, WINDOW_BYTES, both)',
      },
      {
        file: PUMP,
        find: 'const fresh = frames.filter((frame) => frame.endOffset > end);',
        replace: 'const fresh = frames;',
      },
      {
        file: PUMP,
        find: 'store.append(key, startOffset + overlap, chunks)',
        replace: 'store.append(key, end, chunks)',
      },
    ],
  },
  {
    name: 'frames-are-written-backwards',
    loses: 'the order of lines that were printed while the database was busy',
    edits: [{ file: PUMP, find: 'const chunks = fresh.map(', replace: 'const chunks = fresh.reverse().map(' }],
  },
];
