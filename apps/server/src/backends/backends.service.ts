import { type ConfigIssue, isBackendError } from '@dstack/backend-base';
import { Inject, Injectable } from '@nestjs/common';
import { BACKEND_TYPES, describeChanges, type Wire } from '@dstack/core';
import { dump } from 'js-yaml';
import type { ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import { projectTarget } from '../projects/project-target.js';
import { SETTINGS } from '../settings/settings.js';
import type { CredentialRules } from './ambient-credentials.js';
import { BackendEnvironments } from './backend-environments.js';
import { backendInUse } from './backend-in-use.js';
import { checkBackendConfig, parseBackendYaml, requireType } from './backend-config.js';
import { BackendNotInstalledError, BackendRegistry } from './backend-registry.js';
import { BackendStore, type BackendConfig } from './backend-store.js';

const VALIDATE_LIMIT_MS = 20_000;

/** Credentials that cannot be checked now are taken; only a refusal is one. */
function unlessUnanswered(error: unknown): readonly ConfigIssue[] {
  if (isBackendError(error) && (error.failure.kind === 'outage' || error.failure.kind === 'throttled')) return [];
  throw error;
}

@Injectable()
export class BackendsService {
  constructor(
    private readonly db: Database,
    private readonly store: BackendStore,
    private readonly registry: BackendRegistry,
    private readonly events: EventRecorder,
    private readonly environments: BackendEnvironments,
    @Inject(SETTINGS) private readonly settings: CredentialRules,
  ) {}

  /** Those of the contract whose package is there. */
  async types(): Promise<Wire.BackendType[]> {
    const installed = await Promise.all(BACKEND_TYPES.map((type) => this.isInstalled(type)));
    return BACKEND_TYPES.filter((_, index) => installed[index]);
  }

  create(scope: ProjectScope, config: unknown): Promise<BackendConfig> {
    return this.save(scope, requireType(config), 'create');
  }

  update(scope: ProjectScope, config: unknown): Promise<BackendConfig> {
    return this.save(scope, requireType(config), 'update');
  }

  async createYaml(scope: ProjectScope, text: string): Promise<void> {
    await this.save(scope, parseBackendYaml(text), 'create');
  }

  async updateYaml(scope: ProjectScope, text: string): Promise<void> {
    await this.save(scope, parseBackendYaml(text), 'update');
  }

  async configInfo(scope: ProjectScope, type: string): Promise<BackendConfig> {
    return this.db.read(async (tx) => (await this.store.get(tx, scope.projectId, type)).config);
  }

  async getYaml(scope: ProjectScope, type: string): Promise<Wire.BackendInfoYAML> {
    const config = await this.configInfo(scope, type);
    return { name: type, config_yaml: dump(config) };
  }

  /** All or none. */
  async delete(scope: ProjectScope, types: readonly string[]): Promise<void> {
    await this.db.write(async (tx) => {
      for (const type of types) {
        await this.store.get(tx, scope.projectId, type);
        const use = await backendInUse(tx, scope.projectId, type);
        if (use !== undefined) throw new ClientError(use);
        await this.store.remove(tx, scope.projectId, type);
        await this.record(tx, `Backend ${type} deleted`, scope);
      }
    });
  }

  private async save(scope: ProjectScope, given: BackendConfig, how: 'create' | 'update'): Promise<BackendConfig> {
    const config = await this.check(given);
    await this.db.write(async (tx) => {
      const before = (await this.store.list(tx, scope.projectId)).find(({ type }) => type === config.type);
      const exists = before !== undefined;
      if (how === 'create' && exists)
        throw new ResourceExistsError(`Backend ${config.type} is configured. Update it instead`);
      if (how === 'update' && !exists)
        throw new ResourceNotExistsError(`Backend ${config.type} is not configured in this project. Create it instead`);
      await this.store.put(tx, scope.projectId, config);
      await this.record(
        tx,
        `Backend ${config.type} ${how}d${before ? describeChanges(before.config, config) : ''}`,
        scope,
      );
    });
    return config;
  }

  /** Its shape, and where the backend can tell, whether its credentials work. */
  private async check(given: BackendConfig): Promise<BackendConfig> {
    try {
      const config = checkBackendConfig(await this.registry.definition(given.type), given, this.settings);
      const module = await this.registry.module(given.type);
      const environment = this.environments.of(given.type);
      const check = module.validate?.(config, environment, AbortSignal.timeout(VALIDATE_LIMIT_MS));
      const issues = (await check?.catch(unlessUnanswered)) ?? [];
      if (issues.length === 0) return config;
      const text = issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      throw new ClientError(`Invalid ${given.type} configuration. ${text}`, 'invalid_credentials');
    } catch (error) {
      if (error instanceof BackendNotInstalledError) throw new ClientError(error.message);
      throw error;
    }
  }

  private async isInstalled(type: string): Promise<boolean> {
    try {
      await this.registry.definition(type);
      return true;
    } catch (error) {
      if (error instanceof BackendNotInstalledError) return false;
      throw error;
    }
  }

  private record(tx: WriteTx, message: string, scope: ProjectScope): Promise<void> {
    const targets = [projectTarget(scope.projectId, scope.projectName)] as const;
    return this.events.record(tx, { message, actorId: scope.caller.id, targets });
  }
}
