import { describeChanges } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { CredentialRules } from '../backends/ambient-credentials.js';
import { backendInUse } from '../backends/backend-in-use.js';
import { BackendRegistry } from '../backends/backend-registry.js';
import { BackendStore, type BackendConfig } from '../backends/backend-store.js';
import { EventRecorder } from '../events/event-recorder.js';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import { ProjectStore } from '../projects/project-store.js';
import { projectTarget } from '../projects/project-target.js';
import { SETTINGS } from '../settings/settings.js';
import { UserStore } from '../users/user-store.js';
import type { ConfigFile } from './config-file.js';
import { usableBackends } from './usable-backends.js';

/**
 * The file wins for the projects it lists; others stay as they are. A backend that cannot be used is a warning, so that one
 * bad credential does not keep the server down; one that still holds machines is kept, whatever the file says.
 */
@Injectable()
export class ConfigApplier {
  private readonly log = new Logger('Config');

  constructor(
    private readonly db: Database,
    private readonly users: UserStore,
    private readonly projects: ProjectStore,
    private readonly backends: BackendStore,
    private readonly registry: BackendRegistry,
    private readonly events: EventRecorder,
    @Inject(SETTINGS) private readonly settings: CredentialRules,
  ) {}

  async apply(config: ConfigFile): Promise<void> {
    for (const project of config.projects) {
      const { usable, problems } = await usableBackends(project, this.registry, this.settings);
      for (const problem of problems) this.log.warn(problem);
      await this.db.write(async (tx) => this.applyProject(tx, project, usable));
    }
  }

  private async applyProject(
    tx: WriteTx,
    { name, backends: listed }: ConfigFile['projects'][number],
    usable: readonly BackendConfig[],
  ): Promise<void> {
    const admin = await this.users.get(tx, 'admin');
    const project =
      (await this.projects.find(tx, name)) ??
      (await this.projects.create(tx, {
        name,
        ownerId: admin.id,
        isPublic: false,
        templatesRepo: null,
        createdBy: null,
      }));
    const told = (what: string, type: string): Promise<void> =>
      this.events.record(tx, {
        message: `Backend ${type} ${what}`,
        actorId: null,
        targets: [projectTarget(project.id, name)],
      });
    const stored = await this.backends.list(tx, project.id);
    for (const backend of usable) {
      const same = stored.find(({ type }) => type === backend.type);
      if (same !== undefined && isDeepStrictEqual(same.config, backend)) continue;
      await this.backends.put(tx, project.id, backend);
      await told(
        `${same ? 'updated' : 'created'} by config.yml${same ? describeChanges(same.config, backend) : ''}`,
        backend.type,
      );
    }
    for (const { type } of stored) {
      if (listed.some((backend) => backend.type === type)) continue;
      const use = await backendInUse(tx, project.id, type);
      if (use !== undefined) tx.afterCommit(() => this.log.warn(`Project ${name}: ${use}`));
      else {
        await this.backends.remove(tx, project.id, type);
        await told('deleted by config.yml', type);
      }
    }
  }
}
