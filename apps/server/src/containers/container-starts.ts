import { BackendError, containerCommand, type ContainerStart } from '@dstack/backend-base';
import { Inject, Injectable } from '@nestjs/common';
import type { Offer, Wire } from '@dstack/core';
import { UnknownSecretError } from '../jobs/interpolate-secrets.js';
import { JobInputs } from '../jobs/job-inputs.js';
import { findJob } from '../jobs/job-record.js';
import { type RegistryLogin, registryAuthOf } from '../jobs/registry-login.js';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { volumeMounts } from '../volumes/job-volumes.js';
import { AgentArchives, NoAgentError } from './agent-archives.js';

/** What a container that is made for a job has to be, and what it starts with. */
@Injectable()
export class ContainerStarts {
  constructor(
    private readonly db: Database,
    private readonly inputs: JobInputs,
    private readonly agents: AgentArchives,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'registryLogin'>,
  ) {}

  /**
   * @param authorizedKeys of the server: those of people come with the job
   * @throws {BackendError} when no container can be made for the job
   */
  async of(jobId: string | null, offer: Offer, authorizedKeys: readonly string[]): Promise<ContainerStart> {
    const { job, mounts } = await this.db.read((tx) => jobAndMounts(tx, jobId));
    if (job === null) throw refused('a container is made for a job, and this one has none');
    const { cpu_arch: arch } = offer.instance.resources;
    const agent = await this.agents.get(arch === 'arm' ? 'arm' : 'x86').catch(refuse(NoAgentError));
    const image = await this.inputs
      .secrets(job.projectId)
      .then((secrets) => imageOf(job.spec, secrets, this.settings.registryLogin))
      .catch(refuse(UnknownSecretError));
    return {
      ...image,
      agent,
      command: containerCommand(agent, authorizedKeys),
      // The job's own come with the job, over the connection to its agent: providers show a container's environment.
      env: {},
      mounts,
    };
  }
}

/** A container is made with its volumes: each of them is bound, none comes later. */
async function jobAndMounts(tx: ReadTx, jobId: string | null) {
  const job = jobId === null ? null : await findJob(tx, jobId);
  const mounts = job === null ? [] : await volumeMounts(tx, job.id, job.spec);
  return {
    job,
    mounts: mounts.flatMap((each) => (each.kind === 'volume' ? [{ volumeId: each.volumeId, path: each.path }] : [])),
  };
}

/** What would fail at any backend, and again. */
function refuse(kind: typeof NoAgentError | typeof UnknownSecretError): (error: unknown) => never {
  return (error) => {
    throw error instanceof kind ? refused(error.message) : error;
  };
}

function imageOf(spec: Wire.JobSpec, secrets: ReadonlyMap<string, string>, login: RegistryLogin | null) {
  const shmGb = spec.requirements.resources.shm_size ?? null;
  return {
    image: spec.image_name,
    registryAuth: registryAuthOf(spec, secrets, login),
    privileged: spec.privileged ?? false,
    shmSizeBytes: shmGb === null ? null : Math.round(shmGb * 1024 ** 3),
  };
}

function refused(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}
