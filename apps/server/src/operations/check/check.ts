import { AgentBundles } from '../../hosts/agent-bundles.js';
import { replicaOf } from '../../litestream/replica.js';
import { withoutSecrets } from '../../litestream/restore-replica.js';
import { describeStartError } from '../../bootstrap/describe-start-error.js';
import { loadConfigFile } from '../../config-file/load-config-file.js';
import { BackendRegistry } from '../../backends/backend-registry.js';
import { usableBackends } from '../../config-file/usable-backends.js';
import { loadPolicies } from '../../policies/load-policies.js';
import { refuseHalfRestored } from '../backup/half-restored.js';
import { openReader } from '../database-reader.js';
import { OperationError } from '../operation-error.js';
import type { OperationContext } from '../operation.js';
import { checkDatabase } from './check-database.js';
import { checkDirectory } from './check-directory.js';
import { checkLogSink, checkUploads } from './check-kept-elsewhere.js';
import { checkPostgres } from './check-postgres.js';
import { error, type Finding, ok, warning } from './finding.js';

/** Looks at all that a start needs, without starting or changing anything. */
export async function findings(context: OperationContext, warnings: readonly string[]): Promise<Finding[]> {
  return [
    ok('node', `${process.version}, ${process.platform} ${process.arch}`),
    ok(
      'address',
      `listens on ${context.settings.host}:${context.settings.port}, is ${context.settings.url} to clients`,
    ),
    ...warnings.map((text) => warning('environment', text)),
    ...(await looked('directory', async () => checkDirectory(context))),
    ...(await looked('config.yml', () => checkConfig(context))),
    ...(await looked('database', () => checkState(context))),
    ...(await looked('litestream', async () => checkLitestream(context))),
    ...(await looked('logs', () => checkLogSink(context))),
    ...(await looked('uploads', () => checkUploads(context))),
    ...(await looked('agents', async () => checkAgents(context))),
  ];
}

/** @throws {OperationError} when a server would not start */
export async function check(context: OperationContext, warnings: readonly string[]): Promise<void> {
  const all = await findings(context, warnings);
  const width = Math.max(...all.map(({ subject }) => subject.length));
  const signs = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ' } as const;
  for (const { subject, level, text } of all) context.print(`${signs[level]}  ${subject.padEnd(width)}  ${text}`);
  const wrong = all.filter(({ level }) => level === 'error').length;
  if (wrong > 0)
    throw new OperationError(`The server would not start: ${wrong} ${wrong === 1 ? 'error' : 'errors'} above.`);
}

/** What cannot be looked at is an error like any other. */
async function looked(subject: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (failure) {
    return [error(subject, describeStartError(failure).split('\n')[0] ?? '')];
  }
}

async function checkConfig(context: OperationContext): Promise<Finding[]> {
  const { settings } = context;
  const { config } = await loadConfigFile(settings, { writesTemplate: false });
  const judged = await Promise.all(
    config.projects.map((project) => usableBackends(project, new BackendRegistry(), settings)),
  );
  const projects = config.projects.map(
    ({ name }, index) => `${name} (${judged[index]?.usable.map(({ type }) => type).join(', ') || 'no backends'})`,
  );
  return [
    settings.configDisabled
      ? ok('config.yml', 'is not read (DSTACK_SERVER_CONFIG_DISABLED)')
      : ok('config.yml', `projects: ${projects.join(', ') || 'none'}; keys: ${config.encryptionKeys.length}`),
    ...judged.flatMap(({ problems }) => problems.map((text) => warning('backends', text))),
    ...(await looked('plugins', () => checkPlugins(config.plugins, context))),
  ];
}

/** Loaded as by a start, which fails without one of them. */
async function checkPlugins(configured: readonly string[], { settings, world }: OperationContext): Promise<Finding[]> {
  await loadPolicies(configured, settings, world.scheduler);
  const names = [...new Set([...configured, ...settings.plugins])];
  return names.length === 0 ? [] : [ok('plugins', names.join(', '))];
}

async function checkState(context: OperationContext): Promise<Finding[]> {
  const { database, databasePoolSize, databaseListenUrl } = context.settings;
  const reader = await openReader(database);
  if (reader === null) {
    refuseHalfRestored(context.settings.serverDir, database);
    return [ok('database', 'there is none yet: the first start makes it')];
  }
  try {
    const about = await checkDatabase(reader, context);
    if (database.dialect === 'sqlite') return about;
    const listenUrl = databaseListenUrl === undefined ? database.url : databaseListenUrl;
    return [...about, ...(await checkPostgres(reader, databasePoolSize, listenUrl))];
  } finally {
    await reader.close();
  }
}

function checkLitestream({ settings }: OperationContext): Finding[] {
  if (!settings.databaseIsReplicated) return [];
  if (settings.database.dialect === 'postgres')
    return [warning('litestream', 'LITESTREAM_REPLICA_URL has no effect with Postgres. Unset it.')];
  const replica = replicaOf(settings, process.env);
  return [
    ok(
      'litestream',
      replica === undefined ? 'is run by somebody else' : `${replica.program} to ${withoutSecrets(replica.url)}`,
    ),
  ];
}

async function checkAgents({ settings }: OperationContext): Promise<Finding[]> {
  const there = new AgentBundles(settings).archs();
  if (there.length === 2) return [ok('agents', 'for x86 and arm hosts')];
  return [
    warning(
      'agents',
      `${there.length === 0 ? 'none' : `for ${there.join()} hosts only`}: hosts of other kinds cannot be used. Build them (npm run build:folder -w @dstack/agent) or set DSTACK_SERVER_AGENT_DIR.`,
    ),
  ];
}
