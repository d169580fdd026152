import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TRIES: readonly (readonly [string, ...string[]])[] = [
  ['systemctl', 'poweroff'],
  ['/sbin/poweroff'],
  ['/sbin/shutdown', '-h', 'now'],
];

/** @throws {AggregateError} when the machine knows none of the ways */
export async function powerOff(env: NodeJS.ProcessEnv): Promise<void> {
  const own = env['DSTACK_AGENT_POWER_OFF'];
  const failures: unknown[] = [];
  for (const [command, ...args] of own === undefined ? TRIES : [[own] as const]) {
    try {
      await run(command, args, { timeout: 60_000 });
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, failures.map(String).join('; '));
}
