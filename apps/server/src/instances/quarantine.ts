import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LifeSign, LIMITS, whyQuarantined } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';

interface InstallationRow {
  readonly installation_id: string;
  readonly last_alive_at: number | null;
  readonly quarantine_until: number | null;
}

/** Whether machines that the database does not know may be left alone only. */
export abstract class Quarantine {
  /** Until when (ms since the epoch); null: there is none. Asked before machines are looked for. */
  abstract current(): Promise<number | null>;
  /** The machines were looked after. */
  abstract alive(): Promise<void>;
  abstract end(): Promise<void>;
}

/** Goes by two memories of when the installation was last alive: the database's, and a file's beside it that no restore brings back. */
@Injectable()
export class DirectoryQuarantine extends Quarantine {
  private readonly log = new Logger('Quarantine');
  private readonly path: string;

  constructor(
    private readonly db: Database,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'serverDir' | 'database'>,
  ) {
    super();
    this.path = join(settings.serverDir, 'alive.json');
  }

  async current(): Promise<number | null> {
    const { row, now } = await this.db.read(async (tx) => ({ row: await installation(tx), now: await tx.now() }));
    if (row.quarantine_until !== null && Number(row.quarantine_until) > now) return Number(row.quarantine_until);
    const why = whyQuarantined({
      database: toSign(row),
      directory: this.readSign(),
      isShared: this.settings.database.dialect === 'postgres',
    });
    if (why === null) return null;
    const until = now + LIMITS.quarantineMs;
    await this.db.write((tx) => tx.execute('UPDATE installation SET quarantine_until = ?', [until]));
    this.log.warn(`Machines that this database does not know are left alone for 24 hours: ${why}`);
    return until;
  }

  async alive(): Promise<void> {
    const sign = await this.db.write(async (tx): Promise<LifeSign> => {
      const now = await tx.now();
      await tx.execute('UPDATE installation SET last_alive_at = ?', [now]);
      return { installationId: (await installation(tx)).installation_id, lastAliveAt: now };
    });
    await writeFile(this.path, JSON.stringify(sign), { mode: 0o600 });
  }

  async end(): Promise<void> {
    await this.db.write((tx) => tx.execute('UPDATE installation SET quarantine_until = NULL'));
    this.log.warn('The quarantine was ended: machines that this database does not know will be terminated');
  }

  private readSign(): LifeSign | null {
    try {
      return JSON.parse(readFileSync(this.path, 'utf8')) as LifeSign; // written above
    } catch {
      return null; // nobody was here before
    }
  }
}

/** For programs that put the server together without a directory. */
export class NoQuarantine extends Quarantine {
  current(): Promise<null> {
    return Promise.resolve(null);
  }

  alive(): Promise<void> {
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

async function installation(tx: ReadTx): Promise<InstallationRow> {
  const [row] = await tx.query<InstallationRow>(
    'SELECT installation_id, last_alive_at, quarantine_until FROM installation',
  );
  if (row === undefined) throw new Error('the database has no installation');
  return row;
}

function toSign({ installation_id: installationId, last_alive_at: at }: InstallationRow): LifeSign | null {
  return at === null ? null : { installationId, lastAliveAt: Number(at) };
}
