import type { NewToken, TokenInfo } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { tokenHash } from '../auth/token.js';
import { EventRecorder } from '../events/event-recorder.js';
import { AccessError, ForbiddenError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { toWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import { WORLD, type World } from '../world/world.js';
import type { CreateToken } from './tokens.dto.js';
import type { UserRow } from './user-row.js';
import { UserStore, userTarget } from './user-store.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly created_at: number;
  readonly expires_at: number | null;
}

/** Not of the contract: tokens beside the one of each user, which can end by themselves and be taken back one by one. */
@Injectable()
export class TokensService {
  constructor(
    private readonly db: Database,
    private readonly users: UserStore,
    private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async list(caller: Caller, username: string | undefined): Promise<TokenInfo[]> {
    const name = nameFor(caller, username);
    const rows = await this.db.read(async (tx) =>
      tx.query<Row>('SELECT id, name, created_at, expires_at FROM user_tokens WHERE user_id = ? ORDER BY created_at, id', [
        (await this.users.get(tx, name)).id,
      ]),
    ); // prettier-ignore
    return rows.map((row) => this.info(row));
  }

  async create(caller: Caller, request: CreateToken): Promise<NewToken> {
    const username = nameFor(caller, request.username);
    refuseByToken(caller);
    const now = this.world.clock.now();
    const row = {
      id: this.world.ids.uuid(),
      name: request.name,
      created_at: now,
      expires_at: request.expires_in === undefined ? null : now + request.expires_in * 1_000,
    };
    const token = Buffer.from(this.world.random.bytes(32)).toString('base64url');
    await this.db.write(async (tx) => {
      const user = await this.users.get(tx, username);
      const same = await tx.query('SELECT id FROM user_tokens WHERE user_id = ? AND name = ?', [user.id, row.name]);
      if (same.length > 0) throw new ResourceExistsError(`${username} has a token ${row.name}. Delete it first`);
      await tx.execute(
        'INSERT INTO user_tokens (id, user_id, name, token_hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
        [row.id, user.id, row.name, tokenHash(token), row.created_at, row.expires_at],
      );
      const until = row.expires_at === null ? '' : `. expires: ${toWireTime(row.expires_at)}`;
      await this.record(tx, `Token ${row.name} created${until}`, caller, user);
    });
    return { ...this.info(row), token };
  }

  /** All or none. */
  async delete(caller: Caller, username: string | undefined, names: readonly string[]): Promise<void> {
    const name = nameFor(caller, username);
    await this.db.write(async (tx) => {
      const user = await this.users.get(tx, name);
      for (const token of names) {
        const deleted = await tx.execute('DELETE FROM user_tokens WHERE user_id = ? AND name = ?', [user.id, token]);
        if (deleted === 0) throw new ResourceNotExistsError(`${name} has no token ${token}`);
        await this.record(tx, `Token ${token} deleted`, caller, user);
      }
    });
  }

  private info({ id, name, created_at, expires_at }: Row): TokenInfo {
    return {
      id,
      name,
      created_at: toWireTime(created_at),
      expires_at: expires_at === null ? null : toWireTime(expires_at),
      expired: expires_at !== null && expires_at <= this.world.clock.now(),
    };
  }

  private record(tx: WriteTx, message: string, caller: Caller, user: UserRow): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [userTarget(user.id, user.name)] });
  }
}

/** Oneself, or anybody for a global admin. */
function nameFor(caller: Caller, username: string | undefined): string {
  if (username === undefined || username === caller.name) return caller.name;
  if (caller.globalRole !== 'admin') throw new AccessError(403, 'Access denied');
  return username;
}

/** Whoever found a token that ends shall not make one that does not. @throws {ForbiddenError} */
export function refuseByToken(caller: Caller): void {
  if (caller.tokenId !== undefined)
    throw new ForbiddenError('This token can make and show no others. Use the token of the user itself');
}
