import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ClientError } from '../http/api-errors.js';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readJson, writeJson } from '../reconcile/stored-json.js';
import { WORLD, type World } from '../world/world.js';

export interface BegunSignIn {
  readonly provider: string;
  /** Of the command line that waits for the answer on the person's machine. */
  readonly localPort: number | null;
  readonly nextPollAt: number;
}

interface Row {
  readonly provider: string;
  readonly sealed: string;
  readonly local_port: number | null;
  readonly next_poll_at: number;
}

/** Somebody who begins sign-ins without end shall not fill the database. */
const AT_ONCE = 10_000;

/** Sign-ins that are under way, found by a secret that only their two sides know; each is used once. */
@Injectable()
export class BegunSignIns {
  constructor(
    private readonly keyring: Keyring,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async begin(
    tx: WriteTx,
    secret: string,
    begun: { provider: string; localPort: number | null; kept: unknown; lifetimeMs: number },
  ): Promise<void> {
    const now = this.world.clock.now();
    await tx.execute('DELETE FROM begun_sign_ins WHERE expires_at < ?', [now]);
    const [row] = await tx.query<{ count: number }>('SELECT count(*) AS count FROM begun_sign_ins');
    if (Number(row?.count ?? 0) >= AT_ONCE) throw new ClientError('Too many sign-ins are under way. Try again later');
    await tx.execute(
      `INSERT INTO begun_sign_ins (id, provider, sealed, local_port, next_poll_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
      [
        idOf(secret),
        begun.provider,
        this.keyring.encrypt(writeJson(begun.kept)),
        begun.localPort,
        0,
        now + begun.lifetimeMs,
      ],
    );
  }

  async look(tx: ReadTx, secret: string): Promise<BegunSignIn> {
    const row = await this.row(tx, secret);
    return { provider: row.provider, localPort: row.local_port, nextPollAt: Number(row.next_poll_at) };
  }

  async kept<T>(tx: ReadTx, secret: string): Promise<T> {
    return readJson<T>(this.keyring.decrypt((await this.row(tx, secret)).sealed));
  }

  async pollNext(tx: WriteTx, secret: string, at: number): Promise<void> {
    await tx.execute('UPDATE begun_sign_ins SET next_poll_at = ? WHERE id = ?', [at, idOf(secret)]);
  }

  /** Only one caller ever gets it. */
  async use<T>(tx: WriteTx, secret: string): Promise<{ readonly provider: string; readonly kept: T }> {
    const row = await this.row(tx, secret);
    if ((await tx.execute('DELETE FROM begun_sign_ins WHERE id = ?', [idOf(secret)])) !== 1) throw unknownSignIn();
    return { provider: row.provider, kept: readJson<T>(this.keyring.decrypt(row.sealed)) };
  }

  private async row(tx: ReadTx, secret: string): Promise<Row> {
    const [row] = await tx.query<Row>(
      'SELECT provider, sealed, local_port, next_poll_at FROM begun_sign_ins WHERE id = ? AND expires_at >= ?',
      [idOf(secret), this.world.clock.now()],
    );
    if (row === undefined) throw unknownSignIn();
    return row;
  }
}

function unknownSignIn(): ClientError {
  return new ClientError(
    'This sign-in is unknown, was used, or took too long. Start again: dstack login',
    'invalid_credentials',
  );
}

/** Whoever reads the database cannot go on with a sign-in. */
function idOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
