import { BackendError, containerCommand, type ContainerStart } from '@dstack/backend-base';
import { Injectable } from '@nestjs/common';
import type { Offer, Wire } from '@dstack/core';
import { interpolateSecrets } from '../jobs/interpolate-secrets.js';
import { JobInputs } from '../jobs/job-inputs.js';
import { findJob, type JobRecord } from '../jobs/job-record.js';
import { Database } from '../persistence/database.js';
import { volumeMounts } from '../volumes/job-volumes.js';
import { AgentArchives } from './agent-archives.js';

/** What a container that is made for a job has to be, and what it starts with. */
@Injectable()
export class ContainerStarts {
  constructor(
    private readonly db: Database,
    private readonly inputs: JobInputs,
    private readonly agents: AgentArchives,
  ) {}

  /**
   * @param authorizedKeys of the server: those of people come with the job
   * @throws {BackendError} when no container can be made for the job
   */
  async of(jobId: string | null, offer: Offer, authorizedKeys: readonly string[]): Promise<ContainerStart> {
    const job = jobId === null ? null : await this.db.read((tx) => findJob(tx, jobId));
    if (job === null) throw refused('a container is made for a job, and this one has none');
    try {
      const { cpu_arch: arch } = offer.instance.resources;
      const agent = await this.agents.get(arch === 'arm' ? 'arm' : 'x86');
      return {
        ...imageOf(job.spec, await this.inputs.secrets(job.projectId)),
        agent,
        command: containerCommand(agent, authorizedKeys),
        // The job's own come with the job, over the connection to its agent: providers show a container's environment.
        env: {},
        mounts: await this.mounts(job),
      };
    } catch (error) {
      throw refused(error instanceof Error ? error.message : String(error));
    }
  }

  /** The volumes that are reserved for it: the provider mounts them, the agent inside cannot. */
  private async mounts({ id, spec }: JobRecord): Promise<ContainerStart['mounts']> {
    const mounts = await this.db.read((tx) => volumeMounts(tx, id, spec));
    return mounts.flatMap((mount) => (mount.kind === 'volume' ? [{ volumeId: mount.volumeId, path: mount.path }] : []));
  }
}

function imageOf(spec: Wire.JobSpec, secrets: ReadonlyMap<string, string>) {
  const shmGb = spec.requirements.resources.shm_size ?? null;
  const auth = spec.registry_auth ?? null;
  return {
    image: spec.image_name,
    registryAuth:
      auth === null
        ? null
        : {
            username: interpolateSecrets(auth.username, secrets),
            password: interpolateSecrets(auth.password, secrets),
          },
    privileged: spec.privileged ?? false,
    shmSizeBytes: shmGb === null ? null : Math.round(shmGb * 1024 ** 3),
  };
}

function refused(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}
