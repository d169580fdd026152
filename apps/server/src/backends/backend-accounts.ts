import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { BackendError, type BackendDefinition, type Compute } from '@dstack/backend-base';
import type { InternalBackendType } from '@dstack/core';
import { INSTALLATION, type Installation } from '../bootstrap/installation.js';
import type { CredentialCheck, UnusableBackend } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { whyNoAmbientCredentials } from './ambient-credentials.js';
import { BackendEnvironments } from './backend-environments.js';
import { BackendNotInstalledError, BackendRegistry } from './backend-registry.js';
import { BackendStore, type BackendConfig } from './backend-store.js';
import { tracedCompute } from '../telemetry/traced-compute.js';
import { CredentialChecks } from './credential-checks.js';
import { installedAgent, localExtras, localIsOn } from './local-backend.js';

/** One configured backend of a project, opened. */
export interface BackendAccount {
  readonly type: InternalBackendType;
  readonly definition: BackendDefinition;
  readonly compute: Compute;
  readonly check?: () => Promise<CredentialCheck>;
  readonly priceRemark: () => string | null;
}

interface Opened {
  readonly config: string;
  readonly account: Promise<BackendAccount>;
}

const LOCAL: BackendConfig = { type: 'local' };

/** Opens each account once and keeps it until its configuration changes. */
@Injectable()
export class BackendAccounts implements OnApplicationShutdown {
  private readonly log = new Logger('Backends');
  private readonly opened = new Map<string, Opened>();
  private readonly agentIsThere: boolean;

  constructor(
    private readonly db: Database,
    private readonly store: BackendStore,
    private readonly registry: BackendRegistry,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(INSTALLATION) private readonly installation: Installation,
    private readonly environments: BackendEnvironments,
  ) {
    this.agentIsThere = (settings.agentCommand ?? installedAgent()) !== undefined;
  }

  /** Those that can be opened; the others are told in the log and skipped, so that one bad account stops only itself. */
  async ofProject(projectId: string): Promise<readonly BackendAccount[]> {
    const configs = await this.configs(projectId);
    const results = await Promise.allSettled(configs.map((config) => this.account(projectId, config)));
    return results.flatMap((result, index) => {
      if (result.status === 'fulfilled') return [result.value];
      this.log.warn(`Backend ${configs[index]?.type} cannot be used: ${messageOf(result.reason)}`);
      return [];
    });
  }

  /** Those that cannot be opened, and why. */
  async unusable(projectId: string): Promise<readonly UnusableBackend[]> {
    const configs = await this.configs(projectId);
    const results = await Promise.allSettled(configs.map((config) => this.account(projectId, config)));
    return results.flatMap((result, index) =>
      result.status === 'fulfilled' ? [] : [{ type: configs[index]?.type ?? '', reason: messageOf(result.reason) }],
    );
  }

  /** @throws {BackendError} when the project has no such backend (any more) or it cannot be opened */
  async open(projectId: string, type: InternalBackendType): Promise<BackendAccount> {
    const config = (await this.configs(projectId)).find((candidate) => candidate.type === type);
    // A machine made earlier must be reachable even after the local backend was switched off.
    const usable = config ?? (type === 'local' ? LOCAL : undefined);
    if (usable === undefined)
      throw new BackendError(
        { kind: 'rejected', blocks: 'account' },
        `Backend ${type} is not configured in this project`,
      );
    return this.account(projectId, usable);
  }

  /** For people: the types a project has, those that cannot work with the reason. */
  async describe(projectId: string): Promise<string> {
    const configs = await this.configs(projectId);
    const states = await Promise.all(configs.map(({ type }) => this.state(type)));
    return states.length === 0 ? 'none' : states.join(', ');
  }

  /** The owner that is written on everything the server creates. */
  owner(): Promise<string> {
    return Promise.resolve(this.installation.id);
  }

  async onApplicationShutdown(): Promise<void> {
    const accounts = await Promise.allSettled([...this.opened.values()].map(({ account }) => account));
    for (const result of accounts) if (result.status === 'fulfilled') await result.value.compute.close?.();
  }

  private async configs(projectId: string): Promise<readonly BackendConfig[]> {
    const stored = (await this.db.read((tx) => this.store.list(tx, projectId))).map(({ config }) => config);
    const implicit = this.settings.localBackend ?? (localIsOn(this.settings) && this.agentIsThere);
    return implicit && !stored.some(({ type }) => type === 'local') ? [...stored, LOCAL] : stored;
  }

  private async state(type: string): Promise<string> {
    try {
      const { title } = await this.registry.definition(type);
      return `${type} (${title})`;
    } catch (error) {
      return `${type} (${error instanceof Error ? error.message : 'unusable'})`;
    }
  }

  private account(projectId: string, config: BackendConfig): Promise<BackendAccount> {
    // All projects share this machine, so its account is one: it hands the same processors and memory out once.
    const key = config.type === 'local' ? 'local' : `${projectId} ${config.type}`;
    const text = JSON.stringify(config);
    const known = this.opened.get(key);
    if (known?.config === text) return known.account;
    const account = this.openAccount(config);
    this.opened.set(key, { config: text, account });
    account.catch(() => {
      if (this.opened.get(key)?.account === account) this.opened.delete(key);
    });
    // What the old account is still doing ends by its own deadlines.
    known?.account.then(
      ({ compute }) => compute.close?.(),
      () => undefined,
    );
    return account;
  }

  private async openAccount(config: BackendConfig): Promise<BackendAccount> {
    const refused = whyNoAmbientCredentials(config, this.settings);
    if (refused !== null) throw new BackendError({ kind: 'credentials', blocks: 'account' }, refused);
    try {
      const definition = await this.registry.definition(config.type);
      const module = await this.registry.module(config.type);
      const extras =
        config.type === 'local'
          ? localExtras(this.settings)
          : { agentImage: this.settings.agentImage ?? null, gatewayImage: this.settings.gatewayImage ?? null };
      const parsed: unknown = definition.configSchema.parse(config);
      const environment = this.environments.of(config.type);
      const compute = tracedCompute(config.type, await module.open(parsed, { ...environment, ...extras }));
      const { type } = definition;
      const priceRemark = (): string | null => this.environments.priceRemark(type);
      if (module.validate === undefined) return { type, definition, compute, priceRemark };
      const validate = module.validate.bind(module, parsed, environment);
      const checks = new CredentialChecks((signal) => validate(signal), environment.now);
      return { type, definition, compute, priceRemark, check: () => checks.current() };
    } catch (error) {
      if (error instanceof BackendError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const kind = error instanceof BackendNotInstalledError ? 'rejected' : 'credentials';
      throw new BackendError({ kind, blocks: 'account' }, message, { cause: error });
    }
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : 'unusable';
}
