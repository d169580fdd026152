import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { canRunContainers, TEST_IMAGE } from '../programs.js';
import type { PostgresServer } from '../postgres.js';
import { Stack } from '../stack.js';
import { busyInstances } from './busy-instances.js';
import type { CrashWorld } from './crash-world.js';
import { FailingDisk } from './failing-disk.js';
import { killQuietly } from './kill-quietly.js';
import { SmallDisk } from './small-disk.js';

/** One server with its agent on this machine; on SQLite, where root runs it, on a small disk, and its database on one that can fail. */
export async function oneMachineWorld(postgres: PostgresServer | undefined): Promise<CrashWorld> {
  const stack = new Stack(postgres === undefined ? {} : { DSTACK_DATABASE_URL: postgres.url });
  const disk = postgres === undefined ? SmallDisk.mountAt(stack.serverDir) : undefined;
  const databaseDisk =
    postgres === undefined
      ? FailingDisk.mountAt(join(stack.serverDir, 'data'), join(stack.work, 'database.img'))
      : undefined;
  await stack.start();
  return {
    ...(disk === undefined ? {} : { disk }),
    ...(databaseDisk === undefined ? {} : { databaseDisk }),
    name: postgres === undefined ? 'one machine, SQLite' : 'one machine, Postgres',
    servers: [stack],
    postgres,
    image: canRunContainers() ? TEST_IMAGE : undefined,
    signalAgents: async (signal) => {
      for (const pid of stack.agentPids()) killQuietly(pid, signal);
      return Promise.resolve();
    },
    leftovers: async () => [...(await busyInstances(stack)), ...jobProcesses(stack), ...stack.containers()],
    close: async () => {
      disk?.free();
      await stack.close(() => {
        databaseDisk?.unmount();
        disk?.unmount();
      });
      await postgres?.stop();
    },
  };
}

/** The programs of jobs name their directory. */
function jobProcesses(stack: Stack): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,args', '-ww'], { encoding: 'utf8' });
  return all.split('\n').filter((line) => line.includes(stack.serverDir) && line.includes('/jobs/'));
}
