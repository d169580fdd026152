import { type ChildProcess, spawn } from 'node:child_process';
import { node } from '@dstack/e2e/programs';

export interface ReadyProcess<Message> {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: Message;
  /** Ends it and waits until it is gone. */
  readonly end: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

/** Starts a program that tells its parent over IPC when it is ready. @throws {Error} with what it wrote, when it ends before that */
export async function startReady<Message>(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ReadyProcess<Message>> {
  const child = spawn(node, args, {
    env,
    stdio:
      process.env['BENCH_STDERR'] === undefined
        ? ['ignore', 'ignore', 'pipe', 'ipc']
        : ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let told = '';
  child.stderr?.on('data', (chunk: Buffer) => (told = (told + chunk.toString()).slice(-4_000)));
  const ready = await new Promise<Message>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${told}`)));
    // Its first message is the one it is waited for.
    child.once('message', (message) => resolve(message as Message));
  });
  return {
    child,
    pid: child.pid ?? Number.NaN,
    ready,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await gone;
    },
  };
}
