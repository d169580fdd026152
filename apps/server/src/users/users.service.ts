import { Inject, Injectable } from '@nestjs/common';
import { describeChanges, type Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { AccessError, ClientError } from '../http/api-errors.js';
import { fromWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import { keyset } from '../persistence/keyset.js';
import { likeContains } from '../persistence/like-contains.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { deletedName } from '../persistence/deleted-name.js';
import { DEFAULT_PERMISSIONS, type DefaultPermissions } from '../settings/default-permissions.js';
import { WORLD, type World } from '../world/world.js';
import { refuseByToken } from './tokens.service.js';
import { toWireUser, userColumns, type UserRow } from './user-row.js';
import { UserStore, userTarget } from './user-store.js';

@Injectable()
export class UsersService {
  constructor(
    private readonly db: Database,
    private readonly users: UserStore,
    private readonly events: EventRecorder,
    @Inject(DEFAULT_PERMISSIONS) private readonly permissions: DefaultPermissions,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Those who are no global admins see themselves only. */
  async list(caller: Caller, request: Wire.ListUsersRequest): Promise<Wire.User[] | Wire.UsersInfoList> {
    return this.db.read(async (tx) => {
      const visible =
        caller.globalRole === 'admin' ? { sql: '1 = 1', params: [] } : { sql: 'u.id = ?', params: [caller.id] };
      const named = likeContains('u.name', request.name_pattern ?? null);
      const where = `u.deleted = false AND ${visible.sql} AND ${named.sql}`;
      const page = keyset({
        dateColumn: 'u.created_at',
        idColumn: 'u.id',
        previousDate: request.prev_created_at == null ? null : fromWireTime(request.prev_created_at),
        previousId: request.prev_id ?? null,
        ascending: request.ascending ?? false,
      });
      const rows = await tx.query<UserRow>(
        `SELECT ${userColumns('u')} FROM users u WHERE ${where} AND ${page.sql} ORDER BY ${page.orderBy} LIMIT ?`,
        [...visible.params, ...named.params, ...page.params, request.limit ?? 2000],
      );
      const users = rows.map((row) => toWireUser(row, this.permissions));
      if (request.return_total_count !== true) return users;
      const [total] = await tx.query<{ count: number }>(`SELECT count(*) AS count FROM users u WHERE ${where}`, [
        ...visible.params,
        ...named.params,
      ]);
      return { total_count: total?.count ?? 0, users };
    });
  }

  async getWithCreds(caller: Caller, name: string): Promise<Wire.UserWithCreds> {
    refuseOthers(caller, name);
    return this.db.read(async (tx) => hideToken(caller, await this.withCreds(tx, name)));
  }

  async create(caller: Caller, request: Wire.CreateUserRequest): Promise<Wire.User> {
    const row = await this.db.write((tx) =>
      this.users.create(tx, {
        name: request.username,
        globalRole: request.global_role,
        email: request.email ?? null,
        active: request.active ?? true,
        createdBy: caller.id,
      }),
    );
    return toWireUser(row, this.permissions);
  }

  /** To those who are no global admins: those in their projects. */
  async serviceAccounts(caller: Caller): Promise<Wire.User[]> {
    const visible =
      caller.globalRole === 'admin'
        ? { sql: '1 = 1', params: [] }
        : {
            sql: `u.id IN (SELECT o.user_id FROM members o JOIN members m ON m.project_id = o.project_id WHERE m.user_id = ?)`,
            params: [caller.id],
          };
    const rows = await this.db.read((tx) =>
      tx.query<UserRow>(
        `SELECT ${userColumns('u')} FROM users u WHERE u.is_service_account = true AND u.deleted = false AND ${visible.sql}
         ORDER BY u.created_at, u.id`,
        visible.params,
      ),
    );
    return rows.map((row) => toWireUser(row, this.permissions));
  }

  async createServiceAccount(caller: Caller, name: string): Promise<Wire.User> {
    const row = await this.db.write((tx) =>
      this.users.create(tx, {
        name,
        globalRole: 'user',
        email: null,
        active: true,
        createdBy: caller.id,
        isServiceAccount: true,
      }),
    );
    return toWireUser(row, this.permissions);
  }

  async update(caller: Caller, request: Wire.CreateUserRequest): Promise<Wire.User> {
    const row = await this.db.write(async (tx) => {
      const user = await this.users.get(tx, request.username);
      if (user.is_service_account && (request.global_role === 'admin' || request.email != null))
        throw new ClientError('A service account has roles in projects only, and no e-mail address');
      await tx.execute('UPDATE users SET global_role = ?, email = ?, active = ? WHERE id = ?', [
        request.global_role,
        request.email ?? null,
        request.active ?? true,
        user.id,
      ]);
      await refuseWithoutAdmin(tx);
      const after = await this.users.get(tx, request.username);
      await this.record(tx, `User updated${describeChanges(facts(user), facts(after))}`, caller, user);
      return after;
    });
    return toWireUser(row, this.permissions);
  }

  async refreshToken(caller: Caller, name: string): Promise<Wire.UserWithCreds> {
    refuseByToken(caller);
    return this.refresh(caller, name, 'User token refreshed', (tx, id) =>
      this.users.setToken(tx, id, this.world.ids.uuid()),
    );
  }

  async refreshSshKey(caller: Caller, name: string): Promise<Wire.UserWithCreds> {
    return this.refresh(caller, name, 'User SSH key refreshed', (tx, id) => this.users.setFreshKeyPair(tx, id));
  }

  async delete(caller: Caller, names: readonly string[]): Promise<void> {
    if (names.includes('admin')) throw new ClientError('User "admin" cannot be deleted');
    await this.db.write(async (tx) => {
      for (const name of names) {
        const user = await this.users.get(tx, name);
        await tx.execute('DELETE FROM members WHERE user_id = ?', [user.id]);
        await tx.execute(
          'UPDATE users SET deleted = true, active = false, original_name = name, name = ? WHERE id = ?',
          [deletedName(this.world), user.id],
        );
        await tx.execute('DELETE FROM user_tokens WHERE user_id = ?', [user.id]);
        await this.record(tx, 'User deleted', caller, user);
      }
      await refuseWithoutAdmin(tx);
    });
  }

  private async refresh(
    caller: Caller,
    name: string,
    message: string,
    change: (tx: WriteTx, id: string) => Promise<void>,
  ): Promise<Wire.UserWithCreds> {
    refuseOthers(caller, name);
    return this.db.write(async (tx) => {
      const user = await this.users.get(tx, name);
      await change(tx, user.id);
      await this.record(tx, message, caller, user);
      return hideToken(caller, await this.withCreds(tx, name));
    });
  }

  async withCreds(tx: ReadTx, name: string): Promise<Wire.UserWithCreds> {
    const user = await this.users.get(tx, name);
    const { token, privateKey } = await this.users.creds(tx, user.id);
    const creds = { token: user.is_service_account ? '' : token };
    return { ...toWireUser(user, this.permissions), creds, ssh_private_key: privateKey };
  }

  private record(tx: WriteTx, message: string, caller: Caller, user: UserRow): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [userTarget(user.id, user.name)] });
  }
}

function facts({ global_role, email, active }: UserRow): Readonly<Record<string, unknown>> {
  return { global_role, email, active };
}

/** Whoever came with a token that ends learns of none that does not. */
function hideToken(caller: Caller, user: Wire.UserWithCreds): Wire.UserWithCreds {
  return caller.tokenId === undefined ? user : { ...user, creds: { token: '' } };
}

function refuseOthers(caller: Caller, name: string): void {
  if (caller.globalRole !== 'admin' && caller.name !== name) throw new AccessError(403, 'Access denied');
}

/** A server nobody can administer can only be repaired in its database. */
async function refuseWithoutAdmin(tx: ReadTx): Promise<void> {
  const admins = await tx.query(
    `SELECT id FROM users WHERE global_role = 'admin' AND active = true AND deleted = false LIMIT 1`,
  );
  if (admins.length === 0) throw new ClientError('At least one active global admin must remain');
}
