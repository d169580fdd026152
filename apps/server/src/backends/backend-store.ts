import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { WORLD, type World } from '../world/world.js';

export type BackendConfig = Readonly<Record<string, unknown>> & { readonly type: string };

interface BackendRow {
  id: string;
  type: string;
  config: string;
  auth: string;
}

export interface StoredBackend {
  readonly id: string;
  readonly type: string;
  /** With credentials. */
  readonly config: BackendConfig;
}

/** The rows of configured backends: credentials are encrypted, the rest is readable. */
@Injectable()
export class BackendStore {
  constructor(
    private readonly keyring: Keyring,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async list(tx: ReadTx, projectId: string): Promise<StoredBackend[]> {
    const rows = await tx.query<BackendRow>(
      'SELECT id, type, config, auth FROM backends WHERE project_id = ? ORDER BY created_at, type',
      [projectId],
    );
    return rows.map((row) => ({ id: row.id, type: row.type, config: this.withCreds(row) }));
  }

  async get(tx: ReadTx, projectId: string, type: string): Promise<StoredBackend> {
    const found = (await this.list(tx, projectId)).find((backend) => backend.type === type);
    if (found === undefined) throw new ResourceNotExistsError(`Backend ${type} is not configured in this project`);
    return found;
  }

  /** Without credentials. `local` is not a backend that clients of this contract know. */
  async wireInfos(tx: ReadTx, projectId: string): Promise<Wire.BackendInfo[]> {
    const rows = await tx.query<Pick<BackendRow, 'type' | 'config'>>(
      `SELECT type, config FROM backends WHERE project_id = ? AND type <> 'local' ORDER BY created_at, type`,
      [projectId],
    );
    return rows.map(({ type, config }) => ({ name: type, config: JSON.parse(config) as Wire.BackendInfo['config'] }));
  }

  async put(tx: WriteTx, projectId: string, given: BackendConfig): Promise<void> {
    const { [secretField(given.type)]: secret = null, ...config } = given;
    await tx.execute(
      `INSERT INTO backends (id, project_id, type, config, auth, created_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (project_id, type) DO UPDATE SET config = excluded.config, auth = excluded.auth`,
      [
        this.world.ids.uuid(),
        projectId,
        given.type,
        JSON.stringify(config),
        this.keyring.encrypt(JSON.stringify(secret)),
        this.world.clock.now(),
      ],
    );
  }

  async remove(tx: WriteTx, projectId: string, type: string): Promise<void> {
    await tx.execute('DELETE FROM backends WHERE project_id = ? AND type = ?', [projectId, type]);
  }

  private withCreds({ config, auth }: BackendRow): BackendConfig {
    const secret = JSON.parse(this.keyring.decrypt(auth)) as unknown;
    const parsed = JSON.parse(config) as BackendConfig; // written by `put`
    return secret === null ? parsed : { ...parsed, [secretField(parsed.type)]: secret };
  }
}

/** The field of the contract that holds credentials. */
function secretField(type: string): 'creds' | 'kubeconfig' {
  return type === 'kubernetes' ? 'kubeconfig' : 'creds';
}
