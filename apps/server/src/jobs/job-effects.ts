import { AgentUnreachableError, type AgentApi, type JobStart, type JobState } from '@dstack/agent-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { defaultRuntimePreference, type JobEffect, kindOfOffer, type RuntimePreference, undecided } from '@dstack/core';
import { AgentRegistry } from '../agents/agent-registry.js';
import { findUpload } from '../files/find-upload.js';
import { Uploads } from '../files/uploads.js';
import { HostAccessStore } from '../hosts/host-access.js';
import { LOG_STORE, type LogStore } from '../logs/log-store.js';
import { OffersService } from '../offers/offers.service.js';
import { Database } from '../persistence/database.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import { type ReadTogether, readTogether } from '../persistence/together.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findProject } from '../projects/find-project.js';
import { findUser } from '../users/find-user.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import type { ActContext } from '../reconcile/reconciler.js';
import { volumeMounts } from '../volumes/job-volumes.js';
import { readJson } from '../reconcile/stored-json.js';
import { takeServicePort } from '../services/service-port.js';
import { UnknownSecretError } from './interpolate-secrets.js';
import { JobInputs } from './job-inputs.js';
import { isKey, keysOfPeople } from './keys-of-people.js';
import { hostIdOf } from './job-record.js';
import type { JobView } from './job-snapshots.js';
import { buildJobStart, type BuiltJobStart, JobRefusedError } from './job-start.js';

export type StartOutcome =
  | { readonly started: JobState; readonly runtime: 'container' | 'process'; readonly runtimeReason: string }
  | { readonly refused: string };

/** What a job asks of its agent. */
@Injectable()
export class JobEffects {
  private readonly reading: ReadTogether;
  logQuotaBytesPerHour: number | null = 50 * 1024 ** 2;

  constructor(
    private readonly db: Database,
    @Inject(AgentRegistry) private readonly agents: AgentRegistry,
    private readonly inputs: JobInputs,
    @Inject(OffersService) private readonly offers: Pick<OffersService, 'runtimes'>,
    @Inject(HostAccessStore) private readonly accesses: Pick<HostAccessStore, 'read'>,
    @Inject(Uploads) private readonly uploads: Pick<Uploads, 'content'>,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'registryLogin' | 'sshProxy'>,
    @Inject(LOG_STORE) private readonly logs: Pick<LogStore, 'endOffset'>,
  ) {
    this.reading = readTogether(db);
  }

  perform(effect: JobEffect, context: ActContext<JobView>): Promise<unknown> {
    const { snapshot: view, signal } = context;
    if (effect.do === 'give-up-log') return this.giveUpLog(view, signal);
    const agent = this.agentOf(view);
    switch (effect.do) {
      case 'start':
        return this.start(agent, view, signal);
      case 'stop': {
        const { mode, graceMs, reason } = effect;
        const graceSeconds = graceMs === null ? null : Math.ceil(graceMs / 1000);
        return agent.stop(view.record.id, { mode, graceSeconds, reason: agentReason(reason) }, signal);
      }
      case 'remove':
        return agent.remove(view.record.id, signal);
      default:
        return undecided(effect);
    }
  }

  private agentOf({ record }: JobView): AgentApi {
    const hostId = hostIdOf(record);
    const agent = hostId === null ? null : this.agents.get(hostId);
    if (agent === null) throw new AgentUnreachableError('this server is not connected to the agent');
    return agent;
  }

  /** Returns how many bytes nobody will ever have. */
  private async giveUpLog(view: JobView, signal: AbortSignal): Promise<number> {
    const { record, run, projectName } = view;
    let lostBytes = 0;
    for (const stream of ['job', 'runner'] as const) {
      const stored = await this.logs.endOffset({ projectName, runName: run.name, jobId: record.id, stream });
      lostBytes += Math.max(0, (record.runtimeRecord.agent?.logEnd?.[stream] ?? 0) - stored);
    }
    const hostId = hostIdOf(record);
    const agent = hostId === null ? null : this.agents.get(hostId);
    // A host that does not hear it now forgets the job when it is told which ones there are.
    await agent?.remove(record.id, signal).catch(() => undefined);
    return lostBytes;
  }

  private async start(agent: AgentApi, view: JobView, signal: AbortSignal): Promise<StartOutcome> {
    const built = await this.build(agent, view, signal);
    if ('refused' in built) return built;
    let state = await agent.start(built.start, signal);
    if (state.phase === 'waiting') {
      for (const sha256 of blobsOf(built)) {
        const content = await this.blob(view, sha256);
        if (content === null)
          return { refused: `the uploaded code ${sha256.slice(0, 12)} is not on the server any more; apply again` };
        await agent.uploadBlob(view.record.id, sha256, content, signal);
      }
      state = await agent.start(built.start, signal);
    }
    return { started: state, runtime: built.start.runtime, runtimeReason: built.runtimeReason };
  }

  private async build(
    agent: AgentApi,
    view: JobView,
    signal: AbortSignal,
  ): Promise<BuiltJobStart | { refused: string }> {
    const { record, run } = view;
    const rows = await this.rows(view);
    try {
      const built = buildJobStart({
        job: record,
        runSpec: run.spec,
        runName: run.name,
        projectName: view.projectName,
        agent: await agent.info(signal),
        machineKind: kindOfOffer(view.instance?.offer ?? null),
        runtimePreference: await this.runtimePreference(view),
        secrets: await this.inputs.secrets(record.projectId),
        registryLogin: this.settings.registryLogin,
        ...rows,
        repoCredentials: run.repoId === null ? null : await this.inputs.repoCredentials(run.repoId, run.userId),
        ssh: jobSsh(view, rows),
        nodes: view.nodes,
        routerIp: view.routerIp,
        logQuotaBytesPerHour: this.logQuotaBytesPerHour,
      });
      return await this.withServicePort(built, view, rows.gatewayKey);
    } catch (error) {
      if (error instanceof UnknownSecretError || error instanceof JobRefusedError) return { refused: error.message };
      throw error;
    }
  }

  /** What a replica listens at is told to it, as it may not be what the configuration says. */
  private async withServicePort(
    built: BuiltJobStart,
    { record, instance }: JobView,
    visitor: string | null,
  ): Promise<BuiltJobStart> {
    const { start } = built;
    if (typeof record.spec.service_port !== 'number') return built;
    const isShared = start.runtime === 'process' && instance !== null;
    const port = isShared
      ? await this.db.write((tx) => takeServicePort(tx, record, instance))
      : record.spec.service_port;
    const door = visitor === null ? {} : { gatewayDoor: { authorizedKeys: [visitor], port } };
    return { ...built, start: { ...start, ...door, env: { ...start.env, DSTACK_SERVICE_PORT: String(port) } } };
  }

  private async runtimePreference({ record, instance }: JobView): Promise<RuntimePreference> {
    const backend = instance?.backendType ?? 'local';
    const stated = await this.offers.runtimes(record.projectId, backend);
    return stated?.preference ?? defaultRuntimePreference(backend);
  }

  private async rows({ record, run, instance }: JobView) {
    return this.reading.run(async (tx) => {
      const archives = new Map<string, string>();
      for (const { id } of record.spec.file_archives ?? []) {
        const [row] = await tx.query<{ blob_hash: string }>('SELECT blob_hash FROM file_archives WHERE id = ?', [id]);
        if (row !== undefined) archives.set(id, row.blob_hash);
      }
      const [repo] = run.repoId === null ? [] : await repoInfos(tx, run.repoId);
      const project = await findProject(tx, record.projectId);
      const user = await findUser(tx, run.userId);
      const userKeys = keysOfPeople([run.spec.ssh_key_pub, user?.ssh_public_key], this.settings);
      const keys = [...userKeys, project?.ssh_public_key].filter(isKey);
      // The server leads gateways to its own machine: they log in nowhere there.
      const isLed = instance?.machine?.agent?.via === 'unix';
      const hostEnv = instance?.hostName ? (await this.accesses.read(tx, instance.id)).env : {};
      return {
        hostEnv,
        volumes: await volumeMounts(tx, record.id, record.spec),
        archives,
        repoInfo: repo ?? null,
        authorizedKeys: [...new Set(keys)],
        userKeys: [...new Set(userKeys)],
        gatewayKey: isLed || run.gatewayId === null ? null : await gatewayKey(tx, run.gatewayId),
      };
    });
  }

  private async blob({ record, run }: JobView, sha256: string): Promise<Buffer | null> {
    const archives = (record.spec.file_archives ?? []).map(({ id }) => id);
    const stored = await this.db.read((tx) => findUpload(tx, { repoId: run.repoId, archives, hash: sha256 }));
    return stored === null ? null : this.uploads.content(stored);
  }
}

/** Lets the gateway of the job's service through the host. */
async function gatewayKey(tx: ReadTx, gatewayId: string): Promise<string | null> {
  const [row] = await tx.query<{ ssh_public_key: string }>('SELECT ssh_public_key FROM gateways WHERE id = ?', [
    gatewayId,
  ]);
  return row?.ssh_public_key ?? null;
}

const repoInfos = rowsByKey({
  select: 'SELECT id, info FROM repos',
  key: 'id',
  read: (_tx, row: { readonly id: string; readonly info: string }) => readJson<Record<string, unknown>>(row.info),
});

const CLUSTER_SSH_PORT = 10_022;

/** Where the job's SSH server listens and who comes to it: other nodes at a port they know, people through the host. */
function jobSsh(
  { record, instance }: JobView,
  { authorizedKeys, userKeys }: { readonly authorizedKeys: readonly string[]; readonly userKeys: readonly string[] },
): JobStart['ssh'] {
  const agent = instance?.machine?.agent ?? null;
  if (agent === null) return { authorizedKeys };
  // Its own SSH server is the machine's, and listens already. The server's key opens the agent, and is nobody who works in the job.
  if (kindOfOffer(instance?.offer ?? null) === 'containers') return { authorizedKeys: userKeys };
  if (agent.via === 'unix') return { authorizedKeys, listen: { host: '127.0.0.1', port: 0 } };
  const isCluster = (record.spec.jobs_per_replica ?? 1) > 1;
  return {
    authorizedKeys,
    listen: isCluster ? { host: '0.0.0.0', port: CLUSTER_SSH_PORT } : { host: '127.0.0.1', port: 0 },
    viaHost: { authorizedKeys: userKeys },
  };
}

function blobsOf({ start }: BuiltJobStart): string[] {
  const repo = start.repo;
  const code = repo === undefined ? undefined : repo.kind === 'remote' ? repo.diffBlob : repo.blob;
  return [...new Set([...(code === undefined ? [] : [code]), ...start.files.map((file) => file.blob)])];
}

type AgentReason = 'terminated_by_server' | 'terminated_by_user' | 'aborted_by_user' | 'max_duration_exceeded';

/** The agent knows why it ends a job only as far as that matters to it. */
function agentReason(reason: string): AgentReason {
  if (reason === 'terminated_by_user' || reason === 'aborted_by_user' || reason === 'max_duration_exceeded')
    return reason;
  return 'terminated_by_server';
}
