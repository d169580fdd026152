import { Inject, Injectable } from '@nestjs/common';
import { SECRET_NAME_PATTERN } from '@dstack/core';
import type { Wire } from '@dstack/core';
import { hasRole, type ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ForbiddenError, ResourceNotExistsError } from '../http/api-errors.js';
import { Keyring } from '../keys/keyring.js';
import { Database } from '../persistence/database.js';
import { inList } from '../persistence/in-list.js';
import type { WriteTx } from '../persistence/transaction.js';
import { DEFAULT_PERMISSIONS, type DefaultPermissions } from '../settings/default-permissions.js';
import { WORLD, type World } from '../world/world.js';

const MAX_VALUE_LENGTH = 5_000;

interface SecretRow {
  id: string;
  name: string;
  value: string;
}

@Injectable()
export class SecretsService {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly events: EventRecorder,
    @Inject(DEFAULT_PERMISSIONS) private readonly permissions: DefaultPermissions,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Names only. */
  async list(scope: ProjectScope): Promise<Wire.Secret[]> {
    this.refuseRole(scope);
    const rows = await this.db.read((tx) =>
      tx.query<SecretRow>('SELECT id, name, value FROM secrets WHERE project_id = ? ORDER BY created_at DESC, name', [
        scope.projectId,
      ]),
    );
    return rows.map(({ id, name }) => ({ id, name, value: null }));
  }

  async get(scope: ProjectScope, name: string): Promise<Wire.Secret> {
    this.refuseRole(scope);
    const [row] = await this.db.read((tx) =>
      tx.query<SecretRow>('SELECT id, name, value FROM secrets WHERE project_id = ? AND name = ?', [
        scope.projectId,
        name,
      ]),
    );
    if (row === undefined) throw new ResourceNotExistsError(`Secret ${name} not found`);
    return { id: row.id, name: row.name, value: this.keyring.decrypt(row.value) };
  }

  async put(scope: ProjectScope, { name, value }: Wire.CreateOrUpdateSecretRequest): Promise<Wire.Secret> {
    this.refuseRole(scope);
    if (!SECRET_NAME_PATTERN.test(name))
      throw new ClientError('Secret name should match regex ^[A-Za-z0-9-_]{1,200}$ (letters, digits, - and _)');
    if (value.length > MAX_VALUE_LENGTH) throw new ClientError(`A secret has at most ${MAX_VALUE_LENGTH} characters`);
    const now = this.world.clock.now();
    return this.db.write(async (tx) => {
      const [before] = await tx.query('SELECT id FROM secrets WHERE project_id = ? AND name = ?', [
        scope.projectId,
        name,
      ]);
      const [row] = await tx.query<{ id: string }>(
        `INSERT INTO secrets (id, project_id, name, value, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
         RETURNING id`,
        [this.world.ids.uuid(), scope.projectId, name, this.keyring.encrypt(value), now, now],
      );
      if (row === undefined) throw new Error('An upsert returned no row.');
      await this.record(tx, before === undefined ? 'Secret created' : 'Secret updated', scope, { id: row.id, name });
      return { id: row.id, name, value };
    });
  }

  /** All or none. */
  async delete(scope: ProjectScope, names: readonly string[]): Promise<void> {
    this.refuseRole(scope);
    await this.db.write(async (tx) => {
      const list = inList('name', names);
      const rows = await tx.query<{ id: string; name: string }>(
        `DELETE FROM secrets WHERE project_id = ? AND ${list.sql} RETURNING id, name`,
        [scope.projectId, ...list.params],
      );
      const missing = names.filter((name) => !rows.some((row) => row.name === name));
      if (missing.length > 0) throw new ResourceNotExistsError(`Secrets not found: ${missing.join(', ')}`);
      for (const row of rows) await this.record(tx, 'Secret deleted', scope, row);
    });
  }

  private refuseRole(scope: ProjectScope): void {
    if (hasRole(scope, 'admin')) return;
    if (hasRole(scope, 'manager') && this.permissions.allowManagersManageSecrets) return;
    throw new ForbiddenError('Only project admins may manage secrets');
  }

  private record(
    tx: WriteTx,
    message: string,
    scope: ProjectScope,
    { id, name }: { id: string; name: string },
  ): Promise<void> {
    return this.events.record(tx, {
      message,
      actorId: scope.caller.id,
      targets: [{ type: 'secret', id, name, projectId: scope.projectId }],
    });
  }
}
