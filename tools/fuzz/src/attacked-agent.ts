import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AgentHttpServer,
  EpochGate,
  GpuLock,
  HostAgent,
  HostDoors,
  type JobRuntime,
  LaunchError,
} from '@dstack/agent/parts';

/** Jobs whose names begin so wait for their start until they are stopped; the others fail at once. */
export const WAITING = 'wait';

/** Nothing that strangers wrote is run: a launch does no more than to take its time. */
const runtime: JobRuntime = {
  launch: ({ job, signal }) =>
    new Promise((_resolve, reject) => {
      const fail = (): void => reject(new LaunchError('executor_error', 'nothing is run here'));
      if (signal.aborted || !job.id.startsWith(WAITING)) fail();
      else signal.addEventListener('abort', fail, { once: true });
    }),
  isAlive: () => Promise.resolve(false),
  waitGone: () => Promise.resolve({ message: 'gone' }),
  publishedSshPort: () => Promise.resolve(undefined),
  kill: () => Promise.resolve(),
  cleanUp: () => Promise.resolve(),
};

/** The host side of an agent on a fresh directory behind a real socket: jobs, blobs, logs and the epoch are real, what would run them is not. */
export class AttackedAgent {
  private constructor(
    readonly socketPath: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<AttackedAgent> {
    const dir = mkdtempSync(join(tmpdir(), 'dstack-fuzz-agent-'));
    const agent = await HostAgent.open({
      dir,
      agentId: 'attacked',
      generation: 1,
      now: Date.now,
      gpus: [],
      gpuLock: new GpuLock([]),
      doors: new HostDoors(),
      measureGpus: () => Promise.resolve(new Map()),
      health: () => Promise.resolve({ status: 'healthy', incidents: [] }),
      processRuntime: runtime,
      containerRuntime: () => Promise.resolve(runtime),
      containerFact: () => Promise.resolve({ available: true, detail: 'a stand-in' }),
    });
    const server = new AgentHttpServer({
      service: agent,
      gate: await EpochGate.open(join(dir, 'epoch')),
      watch: { arm: () => Promise.resolve(), enter: () => () => undefined },
      now: Date.now,
    });
    const socketPath = join(dir, 'agent.sock');
    await server.listen(socketPath);
    return new AttackedAgent(socketPath, async () => {
      await agent.desire([]);
      await server.close();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    });
  }
}
