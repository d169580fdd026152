import 'reflect-metadata';
import { Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { AppModule } from './app.module.js';
import { BackendsLog } from './bootstrap/backends-log.js';
import { FirstIdentity } from './bootstrap/first-identity.js';
import { packageVersion } from './bootstrap/package-version.js';
import { livesOfDirectory } from './bootstrap/server-lives.js';
import { lockServerDirectory } from './bootstrap/server-lock.js';
import { scoped, ServerLogger } from './bootstrap/server-logger.js';
import { ConfigApplier } from './config-file/config-applier.js';
import { loadConfigFile } from './config-file/load-config-file.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
import { openKeyring } from './keys/open-keyring.js';
import { replicaOf } from './litestream/replica.js';
import { Replication } from './litestream/replication.js';
import { restoreReplica } from './litestream/restore-replica.js';
import { ALL_MIGRATIONS } from './migrations/all-migrations.js';
import { addDocsRoutes } from './openapi/docs-routes.js';
import type { Database } from './persistence/database.js';
import { migrate } from './persistence/migrate.js';
import { refuseHalfRestored } from './operations/backup/half-restored.js';
import { openDatabase } from './persistence/open-database.js';
import { loadPolicies } from './policies/load-policies.js';
import { ModelProxy } from './services/proxy/model-proxy.js';
import { isHidden } from './services/proxy/proxy-origin.js';
import { addProxyRoutes } from './services/proxy/proxy-routes.js';
import { ServiceProxy } from './services/proxy/service-proxy.js';
import type { ServerSettings } from './settings/settings.js';
import { recordRequests } from './telemetry/record-requests.js';
import { startTelemetry } from './telemetry/telemetry.js';
import { WorkloadModule } from './workload.module.js';
import { realWorld } from './world/real-world.js';
import type { World } from './world/world.js';

const RESTORED =
  'The database was restored from its replica. Machines that it does not know are left alone for 24 hours (quarantine).';

export interface ServerOverrides {
  readonly world?: World;
  readonly warnings?: readonly string[];
  /** In place of the modules that run workloads. */
  readonly workload?: readonly Type[];
}

export interface ServerApp {
  readonly app: NestFastifyApplication;
  readonly db: Database;
  readonly adminToken: string;
  readonly installationId: string;
  /** Stops taking requests, lets those in progress end, closes the database, frees the directory. */
  close(): Promise<void>;
}

/** Everything but listening. */
export async function createServerApp(settings: ServerSettings, overrides: ServerOverrides = {}): Promise<ServerApp> {
  const world = overrides.world ?? realWorld();
  const lock = lockServerDirectory(settings.serverDir, world.clock.now());
  const undo: (() => Promise<void> | void)[] = [() => lock.release()];
  const unwind = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const logger = new ServerLogger(settings);
    const telemetry = await startTelemetry(settings.telemetry, await packageVersion(), world);
    undo.push(() => telemetry.close());
    refuseHalfRestored(settings.serverDir, settings.database);
    const replica = replicaOf(settings, process.env);
    const isRestored = replica !== undefined && (await restoreReplica(replica, world.clock.now()));
    const replication =
      replica && new Replication(replica, { scheduler: world.scheduler, log: scoped(logger, 'Litestream') });
    undo.push(() => replication?.stop()); // after the database was closed
    const db = await openDatabase(settings.database, {
      clock: world.clock,
      poolSize: settings.databasePoolSize,
      checkpointsElsewhere: replica !== undefined,
      ...(settings.databaseListenUrl === undefined ? {} : { noticesUrl: settings.databaseListenUrl }),
    });
    undo.push(() => db.close());
    await migrate(db, ALL_MIGRATIONS);
    await replication?.start();
    const { config } = await loadConfigFile(settings);
    const keys = await openKeyring(db, config.encryptionKeys, settings, world);
    db.sealWith({ seal: (text) => keys.keyring.encrypt(text), open: (sealed) => keys.keyring.decrypt(sealed) });
    const warnings = [...(overrides.warnings ?? []), ...keys.warnings, ...(isRestored ? [RESTORED] : [])];
    const parts = {
      db,
      world,
      settings,
      keyring: keys.keyring,
      installation: { id: keys.installationId },
      permissions: config.permissions,
      policies: await loadPolicies(config.plugins, settings, world.scheduler),
      readiness: {
        get warnings() {
          const late = replication?.warning;
          return late === undefined ? warnings : [...warnings, late];
        },
      },
      counts: telemetry.counts,
      lives: livesOfDirectory(settings.serverDir),
    };
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.of(parts, overrides.workload ?? [WorkloadModule]),
      await createFastifyAdapter(),
      { bodyParser: false, logger, abortOnError: false },
    );
    undo.push(() => app.close());
    const log = new Logger('Server');
    const at = settings.database.dialect === 'sqlite' ? ` at ${settings.database.path}` : '';
    log.log(
      `Database: ${settings.database.dialect}${at}; encryption key: ${keys.source}; installation ${keys.installationId}`,
    );
    for (const warning of warnings) log.warn(warning);
    const adminToken = await app.get(FirstIdentity).ensure();
    await app.get(ConfigApplier).apply(config);
    await app.get(BackendsLog).write();
    const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
    recordRequests(fastify);
    addDocsRoutes(app, fastify);
    const [services, models] = [app.get(ServiceProxy, { strict: false }), app.get(ModelProxy, { strict: false })];
    await addProxyRoutes(fastify, services, models);
    const { proxyUrl } = settings;
    if (proxyUrl !== undefined)
      fastify.addHook('onRequest', async (request, reply) => {
        if (isHidden(request.raw, proxyUrl)) await reply.code(404).send({ detail: 'There is no such service' });
      });
    await app.init();
    await fastify.ready();
    return { app, db, adminToken, installationId: keys.installationId, close: unwind };
  } catch (error) {
    await unwind();
    throw error;
  }
}
