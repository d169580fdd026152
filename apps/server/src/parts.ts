import 'reflect-metadata';
import { Logger } from '@nestjs/common';

/** What a program needs to put the working half of the server together by itself, without HTTP and without Nest. */
export { AgentConnector, type AgentTarget, type ConnectedAgent } from './agents/agent-connector.js';
export { JobPorts } from './agents/job-ports.js';
export { giveMemoryBack } from './bootstrap/idle-memory.js';
export { livesOfDirectory } from './bootstrap/server-lives.js';
export { lockServerDirectory } from './bootstrap/server-lock.js';
export { BackendAccounts } from './backends/backend-accounts.js';
export { BackendEnvironments } from './backends/backend-environments.js';
export { BackendNotInstalledError, BackendRegistry } from './backends/backend-registry.js';
export { BackendStore } from './backends/backend-store.js';
export { BundledCatalogs } from './catalogs/catalogs.js';
export { BackendsService } from './backends/backends.service.js';
export { buildWorkload, type BuiltWorkload, type WorkloadParts } from './build-workload.js';
export type { ProjectScope } from './auth/caller.js';
export { AgentArchives } from './containers/agent-archives.js';
export { EventRecorder } from './events/event-recorder.js';
export { GatewayConnector } from './gateways/gateway-connector.js';
export { GatewayHosts } from './gateways/gateway-hosts.js';
export type { GatewayReplicaRecord } from './gateways/gateway-replica-record.js';
export { insertFleet } from './fleets/insert-fleet.js';
export { Hosts, type InstalledAgent, type ReadyHost } from './hosts/hosts.js';
export { ClientError } from './http/api-errors.js';
export { CONTRACT_OPERATIONS, CONTRACT_SCHEMAS, type ContractOperation, type JsonSchema } from './http/contract.js';
export { ClusterKeys } from './runs/cluster-keys.js';
export { type RepoCredentials, JobInputs } from './jobs/job-inputs.js';
export { Keyring } from './keys/keyring.js';
export { FileLogStore } from './logs/file-log-store.js';
export type { LogKey, LogStore } from './logs/log-store.js';
export { ALL_MIGRATIONS } from './migrations/all-migrations.js';
export { type ComputeAccount, ComputeAccounts } from './offers/compute-accounts.js';
export { Database } from './persistence/database.js';
export type { DatabaseLocation } from './persistence/database-url.js';
export type { Engine, Runner } from './persistence/engine.js';
export { Mutex } from './persistence/mutex.js';
export { migrate } from './persistence/migrate.js';
export { openDatabase } from './persistence/open-database.js';
export { openPostgresEngine } from './persistence/postgres-engine.js';
export { SqliteConnection, type SqliteStatement } from './persistence/sqlite-connection.js';
export { openSqliteEngine } from './persistence/sqlite-engine.js';
export { parseFleetSpec } from './runs/parse-spec.js';
export { readSettings } from './settings/read-settings.js';
export type { ServerSettings } from './settings/settings.js';
export { type ProbeAnswer, ProbeAsker } from './services/probe-asker.js';
export type { Scheduler, Timer } from './world/scheduler.js';
export { Notices } from './reconcile/notices.js';
export type { World } from './world/world.js';

export function silenceLogs(): void {
  Logger.overrideLogger(false);
}
