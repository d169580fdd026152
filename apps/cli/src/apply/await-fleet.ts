import type { Wire } from '@dstack/core';
import type { Dstack } from '@dstack/sdk';
import { CliError, EXIT_INTERRUPTED } from '../errors/cli-error.js';
import { instanceLabel, instanceTrouble, isFailed } from '../render/instance-trouble.js';
import { instanceLines } from '../render/instance-lines.js';
import type { CliContext } from '../terminal/context.js';
import { ProgressLines } from '../terminal/progress-lines.js';

const POLL_MS = 1_000;
const LIMIT_MS = 60 * 60_000;

/** Until every instance is ready or has failed, with a line for each. @throws {CliError} at Ctrl-C and at the limit: it goes on */
export async function awaitFleet(
  client: Dstack,
  context: CliContext,
  name: string,
  signal: AbortSignal,
): Promise<Wire.Fleet> {
  const progress = new ProgressLines(context);
  const until = context.now() + LIMIT_MS;
  const hint = `See how far it is: dstack fleet -v`;
  try {
    for (;;) {
      const fleet = await client.fleets.get({ name });
      const lines = instanceLines(fleet);
      if (fleet.status !== 'submitted' && lines.every((line) => line.isSettled)) return fleet;
      progress.update(lines);
      if (context.now() > until) throw new CliError(`Fleet ${name} is not ready after an hour. It goes on.`, { hint });
      await pause(signal);
      if (signal.aborted)
        throw new CliError(`Fleet ${name} goes on without you.`, { hint, exitCode: EXIT_INTERRUPTED });
    }
  } finally {
    progress.clear();
  }
}

/** Those that failed, each with its reason; undefined when none did. Pure. */
export function fleetFailure(fleet: Wire.Fleet): CliError | undefined {
  const failed = fleet.instances.filter(isFailed);
  const isSsh = Boolean(fleet.spec.configuration.ssh_config);
  if (failed.length > 0) {
    const lines = failed.map((each) => `  ${instanceLabel(each)}: ${instanceTrouble(each).join('; ')}`);
    const what = isSsh ? 'hosts cannot be used' : 'instances failed';
    const message = `Fleet ${fleet.name}: ${failed.length} of ${fleet.instances.length} ${what}\n${lines.join('\n')}`;
    const others = failed.length < fleet.instances.length ? ' The others stay as they are.' : '';
    return new CliError(message, {
      hint: isSsh
        ? `Repair what is named and apply again: they are tried anew.${others}`
        : `What happened: dstack event --within-fleet ${fleet.name}`,
    });
  }
  const wanted = fleet.spec.configuration.nodes?.min ?? 0;
  if (isSsh || fleet.instances.length >= wanted) return undefined;
  return new CliError(`Fleet ${fleet.name} has ${fleet.instances.length} of ${wanted} nodes. It goes on trying.`, {
    hint: `What happened: dstack event --within-fleet ${fleet.name}`,
  });
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, POLL_MS);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
