import { Inject, Injectable } from '@nestjs/common';
import { resourceNameProblem, type Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ForbiddenError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { resumeRunsOfProject } from '../placement/waiting-runs.js';
import { projectTarget } from '../projects/project-target.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { ExportLinks } from './export-links.js';
import { type ExportRow, ExportView } from './export-view.js';
import { importEverywhere, insertImport } from './global-exports.js';
import { refuseDuplicates } from './refuse-duplicates.js';
import { SharedGateways } from './shared-gateways.js';
import { endStrayJobs } from './withdrawn-access.js';

interface Importer {
  readonly id: string;
  readonly name: string;
}

/** What a project shares with others, and what others share with it. */
@Injectable()
export class SharingService {
  private readonly links: ExportLinks;

  constructor(
    private readonly db: Database,
    private readonly view: ExportView,
    @Inject(SharedGateways) gateways: SharedGateways,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.links = new ExportLinks(view, gateways);
  }

  listExports(scope: ProjectScope): Promise<Wire.Export[]> {
    return this.db.read(async (tx) =>
      this.view.exports(
        tx,
        await tx.query<ExportRow>(`SELECT ${COLUMNS} FROM exports WHERE project_id = ? ORDER BY created_at, id`, [
          scope.projectId,
        ]),
      ),
    );
  }

  listImports(scope: ProjectScope): Promise<Wire.Import[]> {
    return this.db.read((tx) => this.view.imports(tx, scope.projectId));
  }

  create(scope: ProjectScope, request: Wire.CreateExportRequest): Promise<Wire.Export> {
    const { name, is_global: isGlobal = false, importer_projects: importers = [] } = request;
    const problem = resourceNameProblem('export', name);
    if (problem !== null) throw new ClientError(problem);
    if (isGlobal) refuseGlobalUnlessAdmin(scope);
    if (isGlobal && importers.length > 0) throw new ClientError(GLOBAL_HAS_NO_IMPORTERS);
    return this.db.write(async (tx) => {
      if ((await findExport(tx, scope.projectId, name)) !== undefined)
        throw new ResourceExistsError(`Export ${name} exists`);
      const id = this.world.ids.uuid();
      const row: ExportRow = { id, name, is_global: isGlobal, project_id: scope.projectId };
      await tx.execute('INSERT INTO exports (id, project_id, name, is_global, created_at) VALUES (?, ?, ?, ?, ?)', [
        id,
        scope.projectId,
        name,
        isGlobal,
        await tx.now(),
      ]);
      await this.links.addFleets(tx, scope, row, request.exported_fleets ?? []);
      await this.links.addGateways(tx, scope, row, request.exported_gateways ?? []);
      const added = isGlobal
        ? await importEverywhere(tx, this.world, { exportId: id, projectId: scope.projectId })
        : await this.addImporters(tx, scope, row, importers);
      await this.record(tx, scope, `Export ${name} created${await this.described(tx, row)}`);
      await this.tellImporters(tx, added);
      return this.one(tx, row);
    });
  }

  update(scope: ProjectScope, request: Wire.UpdateExportRequest): Promise<Wire.Export> {
    const { set_global: setGlobal = false, unset_global: unsetGlobal = false } = request;
    const { add_importer_projects: added = [], remove_importer_projects: removed = [] } = request;
    if (setGlobal && unsetGlobal) throw new ClientError('Pass either set_global or unset_global, not both');
    if (setGlobal || unsetGlobal) refuseGlobalUnlessAdmin(scope);
    return this.db.write(async (tx) => {
      const before = await getExport(tx, scope.projectId, request.name);
      const isGlobal = setGlobal || (Boolean(before.is_global) && !unsetGlobal);
      if (isGlobal && added.length + removed.length > 0) throw new ClientError(GLOBAL_HAS_NO_IMPORTERS);
      const was = await this.described(tx, before);
      const row: ExportRow = { ...before, is_global: isGlobal };
      await tx.execute('UPDATE exports SET is_global = ? WHERE id = ?', [isGlobal, row.id]);
      await this.removeImporters(tx, row, removed);
      await this.links.remove(tx, row, 'fleet', request.remove_exported_fleets ?? []);
      await this.links.remove(tx, row, 'gateway', request.remove_exported_gateways ?? []);
      await this.links.addFleets(tx, scope, row, request.add_exported_fleets ?? []);
      await this.links.addGateways(tx, scope, row, request.add_exported_gateways ?? []);
      const own = { exportId: row.id, projectId: scope.projectId };
      if (setGlobal) await importEverywhere(tx, this.world, own);
      else await this.addImporters(tx, scope, row, added);
      await this.withdrawn(tx);
      const is = await this.described(tx, row);
      await this.record(tx, scope, `Export ${row.name} updated. Before${was}. After${is}`);
      await this.tellImporters(tx, await importersOf(tx, row.id));
      return this.one(tx, row);
    });
  }

  async delete(scope: ProjectScope, { name }: Wire.DeleteExportRequest): Promise<void> {
    await this.db.write(async (tx) => {
      const row = await getExport(tx, scope.projectId, name);
      const was = await this.described(tx, row);
      await tx.execute('DELETE FROM exports WHERE id = ?', [row.id]);
      await this.withdrawn(tx);
      await this.record(tx, scope, `Export ${name} deleted${was}`);
    });
  }

  async deleteImport(scope: ProjectScope, request: Wire.DeleteImportRequest): Promise<void> {
    const name = `${request.export_project_name}/${request.export_name}`;
    await this.db.write(async (tx) => {
      const [row] = await tx.query<{ id: string; is_global: boolean }>(
        `SELECT im.id, e.is_global FROM imports im JOIN exports e ON e.id = im.export_id JOIN projects p ON p.id = e.project_id
         WHERE im.project_id = ? AND e.name = ? AND lower(p.name) = lower(?)`,
        [scope.projectId, request.export_name, request.export_project_name],
      );
      if (row === undefined) throw new ResourceNotExistsError(`Import ${name} not found`);
      if (row.is_global) throw new ClientError(`Export ${name} is shared with every project and cannot be given up`);
      await tx.execute('DELETE FROM imports WHERE id = ?', [row.id]);
      await this.withdrawn(tx);
      await this.record(tx, scope, `Import ${name} deleted`);
    });
  }

  /** What is not shared any more is given up at once. */
  private async withdrawn(tx: WriteTx): Promise<void> {
    await endStrayJobs(tx, this.wake, this.events);
    this.wake.gateways(tx);
  }

  private async addImporters(
    tx: WriteTx,
    scope: ProjectScope,
    row: ExportRow,
    names: readonly string[],
  ): Promise<string[]> {
    refuseDuplicates(names.map((name) => name.toLowerCase()), 'Project'); // prettier-ignore
    const importing = await importersOf(tx, row.id);
    const now = await tx.now();
    const added: string[] = [];
    for (const name of names) {
      const project = await importerNamed(tx, scope, name);
      if (project.id === scope.projectId) throw new ClientError('A project cannot import from itself');
      if (importing.includes(project.id))
        throw new ResourceExistsError(`Project ${project.name} imports ${row.name} already`);
      await insertImport(tx, { id: this.world.ids.uuid(), projectId: project.id, exportId: row.id, now });
      await this.events.record(tx, {
        message: `Import ${scope.projectName}/${row.name} added`,
        actorId: scope.caller.id,
        targets: [projectTarget(project.id, project.name)],
      });
      added.push(project.id);
    }
    return added;
  }

  private async removeImporters(tx: WriteTx, row: ExportRow, names: readonly string[]): Promise<void> {
    refuseDuplicates(names.map((name) => name.toLowerCase()), 'Project'); // prettier-ignore
    for (const name of names) {
      const gone = await tx.execute(
        `DELETE FROM imports WHERE export_id = ? AND project_id IN (SELECT id FROM projects WHERE lower(name) = lower(?))`,
        [row.id, name],
      );
      if (gone === 0) throw new ResourceNotExistsError(`Project ${name} does not import ${row.name}`);
    }
  }

  /** Their runs may have found a place. */
  private async tellImporters(tx: WriteTx, projectIds: readonly string[]): Promise<void> {
    for (const id of projectIds) await resumeRunsOfProject(tx, this.wake, id);
    this.wake.topic(tx, 'placement');
  }

  private async described(tx: ReadTx, row: ExportRow): Promise<string> {
    const shown = await this.one(tx, row);
    const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));
    const importers = shown.is_global === true ? 'all' : list(shown.imports.map((each) => each.project_name));
    const fleets = list(shown.exported_fleets.map((each) => each.name));
    const gateways = list((shown.exported_gateways ?? []).map((each) => each.name));
    return `: fleets ${fleets}; gateways ${gateways}; importers ${importers}`;
  }

  private async one(tx: ReadTx, row: ExportRow): Promise<Wire.Export> {
    const [shown] = await this.view.exports(tx, [row]);
    if (shown === undefined) throw new Error(`Export ${row.id} has no view.`);
    return shown;
  }

  private record(tx: WriteTx, scope: ProjectScope, message: string): Promise<void> {
    const { projectId, projectName, caller } = scope;
    return this.events.record(tx, { message, actorId: caller.id, targets: [projectTarget(projectId, projectName)] });
  }
}

const COLUMNS = 'id, name, is_global, project_id';
const GLOBAL_HAS_NO_IMPORTERS =
  'A global export is shared with every project: importers can be neither added nor removed';

async function findExport(tx: ReadTx, projectId: string, name: string): Promise<ExportRow | undefined> {
  const [row] = await tx.query<ExportRow>(`SELECT ${COLUMNS} FROM exports WHERE project_id = ? AND name = ?`, [
    projectId,
    name,
  ]);
  return row;
}

async function getExport(tx: ReadTx, projectId: string, name: string): Promise<ExportRow> {
  const row = await findExport(tx, projectId, name);
  if (row === undefined) throw new ResourceNotExistsError(`Export ${name} not found`);
  return row;
}

async function importersOf(tx: ReadTx, exportId: string): Promise<string[]> {
  const rows = await tx.query<{ project_id: string }>('SELECT project_id FROM imports WHERE export_id = ?', [exportId]);
  return rows.map((row) => row.project_id);
}

/** Who shares with a project decides for it too: he has to be its admin. Projects that are not his are answered as those that are not there. */
async function importerNamed(tx: ReadTx, { caller }: ProjectScope, name: string): Promise<Importer> {
  const [project] = await tx.query<Importer & { role: string | null }>(
    `SELECT p.id, p.name, (SELECT m.project_role FROM members m WHERE m.project_id = p.id AND m.user_id = ?) AS role
     FROM projects p WHERE lower(p.name) = lower(?) AND p.deleted = false`,
    [caller.id, name],
  );
  if (caller.globalRole !== 'admin' && project?.role !== 'admin')
    throw new ForbiddenError(
      `You are no admin of project ${name}: only its admins, and global admins, may share with it`,
    );
  if (project === undefined) throw new ResourceNotExistsError(`Project ${name} not found`);
  return { id: project.id, name: project.name };
}

function refuseGlobalUnlessAdmin({ caller }: ProjectScope): void {
  if (caller.globalRole !== 'admin') throw new ForbiddenError('Only global admins may share with every project');
}
