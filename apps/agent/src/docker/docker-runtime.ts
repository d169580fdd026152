import { existsSync } from 'node:fs';
import * as os from 'node:os';
import type { ContainerSpec, GpuVendor } from '@dstack/agent-protocol';
import type Docker from 'dockerode';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { type JobRuntime, LaunchError, type LaunchRequest, type Loss, type RuntimeHandle } from '../host/runtime.js';
import { attachVolume, detachVolume } from '../host/volume-mount.js';
import { jobDirPaths } from '../job/job-dir.js';
import type { BindMount } from './bind-mount.js';
import { waitForExit } from './container-exit.js';
import { AGENT_LABEL, JOB_LABEL } from './container-labels.js';
import { containerPayload, type PayloadFallbacks } from './container-payload.js';
import { describeExit } from './describe-exit.js';
import { describeEngineError, engineStatus } from './engine-error.js';
import { imageContext } from './image-context.js';
import { prepareInstanceMounts } from './instance-mounts.js';
import { type LaunchLog, openLaunchLog } from '../host/launch-log.js';
import { pullImage } from './pull-image.js';
import { explainStartFailure, failureReason, nextFallback } from './start-failure.js';

export interface DockerRuntimeOptions {
  readonly docker: Docker;
  readonly agentId: string;
  readonly now: () => number;
  /** The agent's self-contained folder; undefined when it has not been built. */
  readonly folder: string | undefined;
  /** argv of the agent in that folder, as a container sees it. */
  readonly agentCommand: readonly string[];
  readonly gpuVendor: GpuVendor | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly privileged: boolean;
  readonly pjrtDevice?: string | undefined;
}

type ContainerHandle = Extract<RuntimeHandle, { kind: 'container' }>;

/** Jobs as containers of the host's Docker Engine; each runs the job side of the agent from the agent's own folder. */
export class DockerRuntime implements JobRuntime {
  constructor(private readonly options: DockerRuntimeOptions) {}

  async launch(request: LaunchRequest): Promise<void> {
    const { job, sharedDir, signal } = request;
    const spec = job.container;
    if (spec === undefined) throw new LaunchError('executor_error', 'the job names no image');
    const log = await openLaunchLog(sharedDir, this.options.now);
    const volumes: string[] = [];
    try {
      await this.removeLeftovers(job.id);
      const mounts = await this.prepareMounts(spec, volumes, log);
      const image = await this.obtainImage(spec, request, log);
      const container = await this.createAndStart(request, spec, image, mounts, volumes, log);
      if (!signal.aborted) return;
      await this.cleanUp({ kind: 'container', containerId: container, volumes }, job.id);
      signal.throwIfAborted();
    } catch (error) {
      log.write(error instanceof Error ? error.message : String(error));
      for (const volume of volumes) await detachVolume(volume).catch(() => undefined);
      throw error;
    } finally {
      await log.close();
    }
  }

  async isAlive(handle: RuntimeHandle): Promise<boolean> {
    if (handle.kind !== 'container') return false;
    try {
      return (await this.container(handle).inspect()).State.Running;
    } catch (error) {
      if (engineStatus(error) === 404) return false;
      throw error;
    }
  }

  async waitGone(handle: RuntimeHandle, signal: AbortSignal): Promise<Loss> {
    if (handle.kind !== 'container') throw new Error('not a container');
    const exit = await waitForExit(this.options.docker, handle.containerId, signal);
    return { message: exit === undefined ? 'the container was removed by somebody else' : describeExit(exit) };
  }

  async publishedSshPort(handle: RuntimeHandle): Promise<number | undefined> {
    if (handle.kind !== 'container') return undefined;
    const { NetworkSettings: network } = await this.container(handle).inspect();
    // The engine says null for a port that is exposed and not published.
    const published = Object.values(network.Ports as Record<string, { HostPort: string }[] | null>);
    const port = published.flatMap((bindings) => bindings ?? [])[0]?.HostPort;
    return port === undefined ? undefined : Number(port);
  }

  async kill(handle: RuntimeHandle): Promise<void> {
    if (handle.kind !== 'container') return;
    try {
      await this.container(handle).kill({ signal: 'SIGKILL' });
    } catch (error) {
      // Gone, or not running: what was wanted.
      const status = engineStatus(error);
      if (status !== 404 && status !== 409) throw error;
    }
  }

  async cleanUp(handle: RuntimeHandle, _jobId: string): Promise<void> {
    if (handle.kind !== 'container') return;
    await this.removeContainer(handle.containerId);
    for (const volume of handle.volumes) await detachVolume(volume);
  }

  /** Containers of this agent whose jobs it does not know (any more): it died between making one and writing that down. */
  async removeStrays(knownJobIds: ReadonlySet<string>): Promise<readonly string[]> {
    const own = await this.list({ [AGENT_LABEL]: this.options.agentId });
    const strays = own.filter(({ Labels }) => !knownJobIds.has(Labels[JOB_LABEL] ?? ''));
    for (const { Id } of strays) await this.removeContainer(Id);
    return strays.map(({ Id }) => Id);
  }

  private async removeLeftovers(jobId: string): Promise<void> {
    const same = await this.engine('cannot ask Docker for containers', () => this.list({ [JOB_LABEL]: jobId }));
    for (const { Id } of same) await this.removeContainer(Id);
  }

  private async prepareMounts(spec: ContainerSpec, mounted: string[], log: LaunchLog): Promise<BindMount[]> {
    try {
      const binds = await prepareInstanceMounts(
        spec.mounts.filter((mount) => mount.kind === 'instance'),
        log.write,
      );
      for (const mount of spec.mounts.filter((each) => each.kind === 'volume')) {
        const hostPath = await attachVolume(mount);
        mounted.push(hostPath);
        binds.push({ hostPath, path: mount.path });
      }
      return binds;
    } catch (error) {
      throw new LaunchError('executor_error', error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  private async obtainImage(spec: ContainerSpec, request: LaunchRequest, log: LaunchLog): Promise<string> {
    request.onPhase('pulling');
    try {
      return await pullImage(this.options.docker, {
        image: spec.image,
        registryAuth: spec.registryAuth,
        signal: request.signal,
        now: this.options.now,
        onProgress: (progress) => {
          request.onPhase('pulling', progress);
        },
        log: log.write,
      });
    } catch (error) {
      throw new LaunchError('creating_container_error', describeEngineError(error), { cause: error });
    }
  }

  private async createAndStart(
    request: LaunchRequest,
    spec: ContainerSpec,
    image: string,
    mounts: readonly BindMount[],
    volumes: readonly string[],
    log: LaunchLog,
  ): Promise<string> {
    const { job, sharedDir, signal, onPhase, onHandle } = request;
    onPhase('creating');
    const inspected = await this.engine('cannot read the image', () => this.options.docker.getImage(image).inspect());
    const context = imageContext(inspected, spec.network === 'bridge');
    await writeFileAtomically(jobDirPaths(sharedDir).context, JSON.stringify(context));
    const shielded = Object.keys(context.restoredEnv ?? {});
    const facts = { ...(await this.hostFacts(request)), image, mounts, shielded };
    let fallbacks: PayloadFallbacks = { withoutDisplay: false, withoutInit: false };
    for (;;) {
      signal.throwIfAborted();
      const payload = containerPayload(job, spec, facts, fallbacks);
      const container = await this.engine('cannot create the container', () =>
        this.options.docker.createContainer(payload),
      );
      await onHandle({ kind: 'container', containerId: container.id, volumes });
      onPhase('starting');
      try {
        await container.start();
        log.write(`container ${payload.name ?? container.id} started`);
        return container.id;
      } catch (error) {
        const message = describeEngineError(error);
        await this.removeContainer(container.id);
        const next = nextFallback(message, fallbacks);
        if (next === undefined) {
          const explained = `cannot start the container: ${explainStartFailure(message)}`;
          throw new LaunchError(failureReason(message), explained, { cause: error });
        }
        fallbacks = next;
        log.write(`the container did not start, trying once more in another way: ${message}`);
      }
    }
  }

  private async hostFacts(request: LaunchRequest) {
    const { agentId, folder, agentCommand, gpuVendor, env, privileged, pjrtDevice } = this.options;
    if (folder === undefined) {
      throw new LaunchError(
        'executor_error',
        "the agent's folder for containers has not been built: npm run build:folder -w @dstack/agent",
      );
    }
    const info = await this.engine(
      'cannot ask Docker about itself',
      () => this.options.docker.info() as Promise<{ SecurityOptions?: string[] | null }>,
    );
    return {
      agentId,
      folder,
      agentCommand,
      sharedDir: request.sharedDir,
      cpus: os.cpus().length,
      gpuVendor,
      gpuIds: request.gpuIds,
      hasInfiniband: existsSync('/dev/infiniband'),
      hasHugepages: existsSync('/dev/hugepages-1G'),
      hasSelinux: info.SecurityOptions?.some((option) => option.includes('name=selinux')) ?? false,
      env,
      privileged,
      pjrtDevice,
    };
  }

  private list(labels: Readonly<Record<string, string>>): Promise<Docker.ContainerInfo[]> {
    const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    return this.options.docker.listContainers({ all: true, filters: { label } });
  }

  private async removeContainer(id: string): Promise<void> {
    try {
      await this.options.docker.getContainer(id).remove({ force: true, v: true });
    } catch (error) {
      // 409: a removal is under way already.
      const status = engineStatus(error);
      if (status !== 404 && status !== 409) throw error;
    }
  }

  private container(handle: ContainerHandle): Docker.Container {
    return this.options.docker.getContainer(handle.containerId);
  }

  private async engine<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw new LaunchError('creating_container_error', `${what}: ${describeEngineError(error)}`, { cause: error });
    }
  }
}
