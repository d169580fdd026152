import { Inject, Injectable } from '@nestjs/common';
import { tokenHash } from '../auth/token.js';
import type { GlobalRole } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { generateKeyPair } from '../ssh-keys/generate-key-pair.js';
import { WORLD, type World } from '../world/world.js';
import { userColumns, type UserRow } from './user-row.js';

const USER_NAME = /^[a-zA-Z0-9_-]{1,60}$/;

export interface NewUser {
  readonly name: string;
  readonly globalRole: GlobalRole;
  readonly email: string | null;
  readonly active: boolean;
  /** Undefined: a random one. */
  readonly token?: string;
  /** Null: the server itself, at its first start. */
  readonly createdBy: string | null;
  readonly isServiceAccount?: boolean;
}

/** The rows of users; callers bring the transaction. */
@Injectable()
export class UserStore {
  constructor(
    private readonly keyring: Keyring,
    private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'userProjectDefaultQuota'>,
  ) {}

  async find(tx: ReadTx, name: string): Promise<UserRow | undefined> {
    const [row] = await tx.query<UserRow>(
      `SELECT ${userColumns('u')} FROM users u WHERE u.name = ? AND u.deleted = false`,
      [name],
    );
    return row;
  }

  async get(tx: ReadTx, name: string): Promise<UserRow> {
    const row = await this.find(tx, name);
    if (row === undefined) throw new ResourceNotExistsError(`User ${name} not found`);
    return row;
  }

  async create(tx: WriteTx, user: NewUser): Promise<UserRow> {
    if (!USER_NAME.test(user.name))
      throw new ClientError('Username should match regex ^[a-zA-Z0-9-_]{1,60}$ (letters, digits, - and _)');
    const taken = await tx.query('SELECT id FROM users WHERE lower(name) = lower(?)', [user.name]);
    if (taken.length > 0) throw new ResourceExistsError(`User ${user.name} exists (names differ by more than case)`);
    const { ids, clock } = this.world;
    const id = ids.uuid();
    const token = user.token ?? ids.uuid();
    const keys = generateKeyPair('dstack');
    await tx.execute(
      `INSERT INTO users (id, name, token_hash, token, global_role, active, email, projects_quota,
                          ssh_public_key, ssh_private_key, created_at, is_service_account)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        id,
        user.name,
        tokenHash(token),
        this.keyring.encrypt(token),
        user.globalRole,
        user.active,
        user.email,
        this.settings.userProjectDefaultQuota,
        keys.publicKey,
        this.keyring.encrypt(keys.privateKey),
        clock.now(),
        user.isServiceAccount ?? false,
      ],
    );
    const actorId = user.createdBy ?? id;
    await this.events.record(tx, {
      message: user.isServiceAccount ? 'Service account created' : 'User created',
      actorId,
      targets: [userTarget(id, user.name)],
    });
    return this.get(tx, user.name);
  }

  async creds(tx: ReadTx, id: string): Promise<{ token: string; privateKey: string | null }> {
    const [row] = await tx.query<{ token: string; ssh_private_key: string | null }>(
      'SELECT token, ssh_private_key FROM users WHERE id = ?',
      [id],
    );
    if (row === undefined) throw new ResourceNotExistsError('User not found');
    const privateKey = row.ssh_private_key === null ? null : this.keyring.decrypt(row.ssh_private_key);
    return { token: this.keyring.decrypt(row.token), privateKey };
  }

  async setToken(tx: WriteTx, id: string, token: string): Promise<void> {
    await tx.execute('UPDATE users SET token_hash = ?, token = ? WHERE id = ?', [
      tokenHash(token),
      this.keyring.encrypt(token),
      id,
    ]);
  }

  async setFreshKeyPair(tx: WriteTx, id: string): Promise<void> {
    const keys = generateKeyPair('dstack');
    await tx.execute('UPDATE users SET ssh_public_key = ?, ssh_private_key = ? WHERE id = ?', [
      keys.publicKey,
      this.keyring.encrypt(keys.privateKey),
      id,
    ]);
  }
}

export function userTarget(id: string, name: string): { type: 'user'; id: string; name: string; projectId: null } {
  return { type: 'user', id, name, projectId: null };
}
