import type { SqliteConnection } from '@dstack/server/parts';

const KINDS = {
  runs: { on: 'status, deleted', id: 'id' },
  jobs: { on: 'status, instance_id, blocks', id: 'id' },
  instances: { on: 'status, busy_blocks, total_blocks, machine, unwanted', id: 'id' },
  fleets: { on: 'status, spec', id: 'id' },
  provisioning_attempts: { on: 'outcome', id: 'id' },
  gateways: { on: 'status, deleted', id: 'id' },
  gateway_replicas: { on: 'status, cloud_name', id: 'id' },
  priced_intervals: { on: 'started_at, ended_at, price_usd_per_hour', id: 'instance_id' },
} as const;
/** Tables whose rows are looked at under leases. */
export const RECONCILED = ['runs', 'jobs', 'instances', 'fleets', 'volumes', 'gateways', 'gateway_replicas'] as const;
export type ChangedKind = keyof typeof KINDS;

export type Changed = Readonly<Record<ChangedKind, readonly string[]>>;

/** A lease that somebody took, gave back or lost in the transaction that is open. */
export interface LeaseMove {
  readonly what: string;
  /** Who had it; null: nobody, and nobody has it now. */
  readonly holder: string | null;
  readonly expiresAt: number | null;
  readonly isTaken: boolean;
}

/** A lease that was given back in the transaction that is open, and the row as it is now. */
export interface EndedLease {
  readonly table: string;
  readonly id: string;
  readonly token: number;
  readonly wakeSeq: number;
  readonly dueAt: number | null;
}

interface LeaseRow {
  what: string;
  holder: string | null;
  expires_at: number | null;
  is_taken: number;
}

/** Which rows have changed since it was last read, written by triggers in the transaction that changes them: rolled back, they go too. */
export class ChangeLog {
  constructor(private readonly connection: SqliteConnection) {
    const run = (sql: string): void => void connection.prepare(sql).run();
    run('CREATE TEMP TABLE changed (kind text, id text, PRIMARY KEY (kind, id)) WITHOUT ROWID');
    run('CREATE TEMP TABLE moved_leases (what text, holder text, expires_at bigint, is_taken integer)');
    run('CREATE TEMP TABLE ended_leases (of text, id text, token integer)');
    run('CREATE TEMP TABLE given_up (holder text)');
    run(
      'CREATE TEMP TRIGGER given_up AFTER DELETE ON main.server_lives BEGIN INSERT INTO given_up VALUES (OLD.holder); END',
    );
    for (const [table, { on, id }] of Object.entries(KINDS)) {
      const note = `BEGIN INSERT OR IGNORE INTO changed VALUES ('${table}', NEW.${id}); END`;
      run(`CREATE TEMP TRIGGER ${table}_made AFTER INSERT ON main.${table} ${note}`);
      run(`CREATE TEMP TRIGGER ${table}_changed AFTER UPDATE OF ${on} ON main.${table} ${note}`);
    }
    for (const table of RECONCILED) {
      run(unheldTrigger(table));
      run(endTrigger(table));
      run(leaseTrigger(table, { what: `${table} `, id: 'id', holder: 'lease_holder', expires: 'lease_expires_at', token: 'lease_token' })); // prettier-ignore
    }
    run(leaseTrigger('instances', { what: 'the connection to ', id: 'id', holder: 'connection_holder', expires: 'connection_expires_at', token: 'connection_epoch' })); // prettier-ignore
    run(leaseTrigger('gateway_replicas', { what: 'the link to ', id: 'id', holder: 'connection_holder', expires: 'connection_expires_at', token: 'lease_token' })); // prettier-ignore
    run(leaseTrigger('leases', { what: 'the lease ', id: 'name', holder: 'holder', expires: 'expires_at', token: 'token' })); // prettier-ignore
  }

  /** What changed since the last call, in committed transactions. */
  take(): Changed {
    const changed: Record<ChangedKind, string[]> = {
      runs: [],
      jobs: [],
      instances: [],
      fleets: [],
      provisioning_attempts: [],
      gateways: [],
      gateway_replicas: [],
      priced_intervals: [],
    };
    const rows = this.connection.prepare('SELECT kind, id FROM changed').all() as { kind: ChangedKind; id: string }[];
    for (const { kind, id } of rows) changed[kind].push(id);
    if (rows.length > 0) this.connection.prepare('DELETE FROM changed').run();
    return changed;
  }

  /** Of the open transaction; to be called before it is committed. */
  takeLeases(): LeaseMove[] {
    const rows = this.connection.prepare('SELECT * FROM moved_leases').all() as LeaseRow[];
    if (rows.length > 0) this.connection.prepare('DELETE FROM moved_leases').run();
    return rows.map(({ what, holder, expires_at: expiresAt, is_taken: isTaken }) => ({
      what,
      holder,
      expiresAt,
      isTaken: isTaken === 1,
    }));
  }

  /** Servers that were silent for too long for another one; of the open transaction, to be called before it is committed. */
  takeGivenUp(): ReadonlySet<string> {
    const rows = this.connection.prepare('SELECT holder FROM given_up').all() as { holder: string }[];
    if (rows.length > 0) this.connection.prepare('DELETE FROM given_up').run();
    return new Set(rows.map(({ holder }) => holder));
  }

  /** Of the open transaction; to be called before it is committed. */
  takeEndedLeases(): EndedLease[] {
    const ended = this.connection.prepare('SELECT * FROM ended_leases').all() as EndedRow[];
    if (ended.length > 0) this.connection.prepare('DELETE FROM ended_leases').run();
    return ended.flatMap(({ of: table, id, token }) => {
      const sql = `SELECT wake_seq AS wakeSeq, next_due_at AS dueAt FROM ${table} WHERE id = ?`;
      const rows = this.connection.prepare(sql).all(id) as Pick<EndedLease, 'wakeSeq' | 'dueAt'>[]; // as just selected
      return rows.map((row) => ({ table, id, token, ...row }));
    });
  }
}

interface EndedRow {
  of: string;
  id: string;
  token: number;
}

interface LeaseColumns {
  readonly what: string;
  readonly id: string;
  readonly holder: string;
  readonly expires: string;
  readonly token: string;
}

function leaseTrigger(table: string, { what, id, holder, expires, token }: LeaseColumns): string {
  return `CREATE TEMP TRIGGER ${table}_${holder} AFTER UPDATE OF ${holder} ON main.${table}
    WHEN OLD.${holder} IS NOT NULL AND (NEW.${holder} IS NOT OLD.${holder} OR NEW.${token} <> OLD.${token})
    BEGIN INSERT INTO moved_leases
      VALUES ('${what}' || OLD.${id}, OLD.${holder}, OLD.${expires}, NEW.${token} <> OLD.${token}); END`;
}

/** A lease is given back, or renewed, that nobody has. */
function unheldTrigger(table: string): string {
  return `CREATE TEMP TRIGGER ${table}_unheld AFTER UPDATE OF lease_holder, lease_expires_at ON main.${table}
    WHEN OLD.lease_holder IS NULL AND NEW.lease_holder IS NULL
    BEGIN INSERT INTO moved_leases VALUES ('${table} ' || OLD.id, NULL, NEW.lease_expires_at, 0); END`;
}

/** By a commit, which writes `rev` too: who only gives a row back, or waits after a failure, has decided nothing. */
function endTrigger(table: string): string {
  return `CREATE TEMP TRIGGER ${table}_ended AFTER UPDATE OF rev ON main.${table}
    WHEN OLD.lease_holder IS NOT NULL AND NEW.lease_holder IS NULL
    BEGIN INSERT INTO ended_leases VALUES ('${table}', OLD.id, OLD.lease_token); END`;
}
