import { BackendError, containerCommand, type ContainerStart } from '@dstack/backend-base';
import { Injectable } from '@nestjs/common';
import type { Offer, Wire } from '@dstack/core';
import { interpolateSecrets, UnknownSecretError } from '../jobs/interpolate-secrets.js';
import { JobInputs } from '../jobs/job-inputs.js';
import { findJob } from '../jobs/job-record.js';
import { Database } from '../persistence/database.js';
import { AgentArchives, NoAgentError } from './agent-archives.js';

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
    const { cpu_arch: arch } = offer.instance.resources;
    const agent = await this.agents.get(arch === 'arm' ? 'arm' : 'x86').catch(refuse(NoAgentError));
    const image = await this.inputs
      .secrets(job.projectId)
      .then((secrets) => imageOf(job.spec, secrets))
      .catch(refuse(UnknownSecretError));
    return {
      ...image,
      agent,
      command: containerCommand(agent, authorizedKeys),
      // The job's own come with the job, over the connection to its agent: providers show a container's environment.
      env: {},
      // Refused at apply until volumes are built.
      mounts: [],
    };
  }
}

/** What would fail at any backend, and again. */
function refuse(kind: typeof NoAgentError | typeof UnknownSecretError): (error: unknown) => never {
  return (error) => {
    throw error instanceof kind ? refused(error.message) : error;
  };
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
