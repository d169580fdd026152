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
        find: `    const durable = await appendFrames(store, { key, end, onWritten }, frames).catch(breakOff);
    acknowledgements.send(durable);`,
        replace: `    acknowledgements.send(frames.at(-1)?.endOffset ?? end);
    const durable = await appendFrames(store, { key, end, onWritten }, frames).catch(breakOff);`,
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
        find: 'if (isLogWhole(agent.logEnd ?? { job: 0, runner: 0 }, job.logOffsets))',
        replace:
          'if (agent.finishedAt !== undefined || isLogWhole(agent.logEnd ?? { job: 0, runner: 0 }, job.logOffsets))',
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
        find: '  const fresh = frames.filter(',
        replace: '  if (frames.length > 0) return store.append(key, end, frames);\n  const fresh = frames.filter(',
      },
    ],
  },
];
