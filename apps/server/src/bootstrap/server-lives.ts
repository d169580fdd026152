import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerLives } from '../reconcile/server-lives.js';

interface Life {
  readonly holder: string;
  /** The lock that its process held, and the machine it held it on: a copy of the directory has another. */
  readonly lock: string;
  readonly boot: string;
}

/**
 * The servers that had this directory, one after the other. Only for who holds its lock: it is free when the process is gone that held it, and
 * so is everything that process did. Proven where the lock is the same file and the machine has not been started anew since; elsewhere – a
 * directory that was copied, or that several machines share – leases have to run out.
 */
export function livesOfDirectory(serverDir: string): ServerLives {
  const path = join(serverDir, 'server.life.json');
  const here = describeLock(join(serverDir, 'server.lock'));
  return {
    former: () => {
      const life = readLife(path);
      return here !== null && life?.lock === here.lock && life.boot === here.boot ? life.holder : null;
    },
    begin: (holder) => {
      if (here !== null) writeFileSync(path, JSON.stringify({ holder, ...here } satisfies Life), { mode: 0o600 });
    },
  };
}

/** Null where the system does not tell one start of the machine from the next. */
function describeLock(path: string): Omit<Life, 'holder'> | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return { lock: `${dev}:${ino}`, boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
  } catch {
    return null;
  }
}

function readLife(path: string): Life | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Life; // written above
  } catch {
    return null; // nobody was here before, or he died while he wrote it
  }
}
