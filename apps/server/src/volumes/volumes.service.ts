import { displayBackend, generatedUniqueName, parseConfigurationValue, type Wire } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { fromWireTime } from '../http/wire-time.js';
import { ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { keyset } from '../persistence/keyset.js';
import type { ReadTx, SqlValue, WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { configurationOf, Policies } from '../policies/policies.js';
import { acceptParsed } from '../runs/parse-spec.js';
import { WORLD, type World } from '../world/world.js';
import { VolumeReader } from './volume-reader.js';
import { findVolumes, type VolumeRecord } from './volume-record.js';
import { volumeTarget } from './volume-target.js';

const LIST_LIMIT = 100;

@Injectable()
export class VolumesService {
  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(VolumeReader) private readonly reader: VolumeReader,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(WORLD) private readonly world: World,
    @Inject(Policies) private readonly policies: Policies,
  ) {}

  listAll(caller: Caller, request: Wire.ListVolumesRequest): Promise<Wire.Volume[]> {
    return this.db.read(async (tx) => {
      const conditions = ['project_id IN (SELECT id FROM projects WHERE deleted = ?)'];
      const params: SqlValue[] = [false];
      const add = (condition: string, ...values: readonly SqlValue[]): void => {
        conditions.push(condition);
        params.push(...values);
      };
      if (caller.globalRole !== 'admin')
        add('project_id IN (SELECT project_id FROM members WHERE user_id = ?)', caller.id);
      if (request.project_name) add('project_id IN (SELECT id FROM projects WHERE name = ?)', request.project_name);
      if (request.only_active === true) add(`deleted = ? AND status <> 'failed'`, false);
      const page = keyset({
        dateColumn: 'created_at',
        idColumn: 'id',
        previousDate: request.prev_created_at ? fromWireTime(request.prev_created_at) : null,
        previousId: request.prev_id ?? null,
        ascending: request.ascending === true,
      });
      add(page.sql, ...page.params);
      const limit = Math.max(0, Math.trunc(Math.min(request.limit ?? LIST_LIMIT, LIST_LIMIT)));
      const found = await findVolumes(
        tx,
        `${conditions.join(' AND ')} ORDER BY ${page.orderBy} LIMIT ${limit}`,
        params,
      );
      return this.reader.wire(tx, found);
    });
  }

  list({ projectId }: ProjectScope): Promise<Wire.Volume[]> {
    return this.db.read(async (tx) => {
      const found = await findVolumes(tx, 'project_id = ? AND deleted = ? ORDER BY created_at DESC, id', [
        projectId,
        false,
      ]);
      return this.reader.wire(tx, found);
    });
  }

  get(scope: ProjectScope, { name }: Wire.GetVolumeRequest): Promise<Wire.Volume> {
    return this.db.read(async (tx) => {
      const [volume] = await this.reader.wire(tx, [await named(tx, scope, name)]);
      if (volume === undefined) throw new ResourceNotExistsError(`Volume ${name} not found`);
      return volume;
    });
  }

  async create(scope: ProjectScope, request: Wire.CreateVolumeRequest): Promise<Wire.Volume> {
    const given = readVolume(request.configuration);
    const { configuration } = await this.policies.apply(
      'volume',
      scope,
      { configuration: given, configuration_path: null },
      (changed) => ({
        configuration: readVolume(configurationOf(changed)),
        configuration_path: null,
      }),
    );
    await this.refuseBackendWithout(scope, configuration);
    const name = await this.db.write(async (tx) => {
      const taken = await takenNames(tx, scope.projectId);
      const wanted = configuration.name ?? null;
      if (wanted !== null && taken.has(wanted)) throw new ResourceExistsError(`Volume ${wanted} exists already`);
      const free = wanted ?? generatedUniqueName(() => this.world.random.next(), (each) => taken.has(each)); // prettier-ignore
      await this.insert(tx, scope, { ...configuration, name: free });
      return free;
    });
    return this.get(scope, { name });
  }

  async delete(scope: ProjectScope, { names }: Wire.DeleteVolumesRequest): Promise<void> {
    await this.db.write(async (tx) => {
      for (const name of new Set(names)) {
        const volume = await named(tx, scope, name);
        await refuseInUse(tx, volume);
        if (volume.deletionRequestedAt !== null || volume.status === 'deleting') continue;
        const now = await tx.now();
        await tx.execute('UPDATE volumes SET deletion_requested_at = ?, rev = rev + 1 WHERE id = ?', [now, volume.id]);
        await this.wake.rows(tx, 'volumes', [volume.id]);
        await this.record(tx, scope, volume, 'Volume marked for deletion');
      }
    });
  }

  /** One that is not configured shows in what becomes of the volume, as existing clients expect; one that never could is refused at once. */
  private async refuseBackendWithout(
    { projectId }: ProjectScope,
    { backend = 'aws' }: Wire.Volume['configuration'],
  ): Promise<void> {
    const accounts = await this.accounts.ofProject(projectId);
    const account = accounts.find(({ type }) => type === backend);
    if (account !== undefined && account.compute.volumes === undefined)
      throw new ClientError(`Backend ${displayBackend(account.type)} has no network volumes in this version`);
  }

  private async insert(
    tx: WriteTx,
    { projectId, caller }: ProjectScope,
    configuration: Wire.Volume['configuration'] & { readonly name: string },
  ): Promise<void> {
    const now = await tx.now();
    const id = this.world.ids.uuid();
    const { name, backend = 'aws', region = '' } = configuration;
    await tx.execute(
      `INSERT INTO volumes (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region, external,
         created_at, next_due_at) VALUES (?, ?, ?, ?, 'submitted', ?, ?, ?, ?, ?, ?, ?)`,
      [
        id,
        projectId,
        caller.id,
        name,
        now,
        writeJson(configuration),
        backend,
        region,
        isExternal(configuration),
        now,
        now,
      ],
    );
    this.wake.topic(tx, 'volumes');
    await this.events.record(tx, {
      message: 'Volume created. Status: SUBMITTED',
      actorId: caller.id,
      targets: [volumeTarget({ id, name, projectId })],
    });
  }

  private record(tx: WriteTx, { caller }: ProjectScope, volume: VolumeRecord, message: string): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [volumeTarget(volume)] });
  }
}

/** Named by an id of the cloud, or by a claim: not ours to delete. */
function isExternal(configuration: Wire.Volume['configuration']): boolean {
  if ('claim_name' in configuration) return (configuration.claim_name ?? null) !== null;
  return 'volume_id' in configuration && (configuration.volume_id ?? null) !== null;
}

async function takenNames(tx: ReadTx, projectId: string): Promise<Set<string>> {
  const rows = await tx.query<{ name: string }>('SELECT name FROM volumes WHERE project_id = ? AND deleted = ?', [
    projectId,
    false,
  ]);
  return new Set(rows.map((row) => row.name));
}

async function named(tx: ReadTx, { projectId }: ProjectScope, name: string): Promise<VolumeRecord> {
  const [volume] = await findVolumes(tx, 'project_id = ? AND name = ? AND deleted = ?', [projectId, name, false]);
  if (volume === undefined) throw new ResourceNotExistsError(`Volume ${name} not found`);
  return volume;
}

async function refuseInUse(tx: ReadTx, { id, name }: VolumeRecord): Promise<void> {
  const users = await tx.query<{ instance: string; run: string | null }>(
    `SELECT i.name AS instance, r.name AS run FROM volume_attachments a JOIN instances i ON i.id = a.instance_id
       LEFT JOIN jobs j ON j.id = a.job_id LEFT JOIN runs r ON r.id = j.run_id WHERE a.volume_id = ?`,
    [id],
  );
  if (users.length === 0) return;
  const by = users.map(({ instance, run }) => (run === null ? instance : `${run} (${instance})`)).join(', ');
  throw new ClientError(`Volume ${name} is in use by ${by}. Stop the run and wait until the volume is detached`);
}

function readVolume(value: unknown): Wire.Volume['configuration'] {
  const configuration = acceptParsed(parseConfigurationValue(value, ['volume']), ['configuration']);
  if (configuration.type !== 'volume') throw new ClientError('The configuration is not of a volume');
  return configuration;
}
