import type * as Wire from '../wire/generated/api.js';
import type { InternalBackendType } from '../wire/internal-values.js';
import { replicaGroups } from './job-groups.js';
import type { Mount } from './volume-mounts.js';

export type Runtime = 'container' | 'process';

/**
 * `auto`: a container only for what needs one. `container-first`: a container wherever an engine is, as clients of the original
 * expect of every host but this machine.
 */
export type RuntimePreference = 'auto' | 'container-first' | Runtime;

export function defaultRuntimePreference(backend: InternalBackendType): RuntimePreference {
  return backend === 'local' ? 'auto' : 'container-first';
}

/** What a host can run jobs with. */
export interface HostRuntimes {
  readonly container: boolean;
  readonly process: boolean;
}

/** What in a configuration decides how it can be run. */
export interface RuntimeFacts {
  /** `image`, `docker`, `privileged` or volumes: things only a container has, in the user's words. */
  readonly containerOnly: readonly string[];
  /** What a container has and a process goes without: mounts that are marked optional. */
  readonly betterInContainer: readonly string[];
  /** Asked for, but taken from the host by a process. */
  readonly fromHost: readonly string[];
}

export type RuntimeChoice = { readonly runtime: Runtime; readonly because: string } | { readonly refused: string };

type RuntimeFields = {
  readonly image?: string | null;
  readonly docker?: boolean | null;
  readonly privileged?: boolean | null;
  readonly python?: string | null;
  readonly nvcc?: boolean | null;
};

export function runtimeFacts(configuration: Wire.RunSpec['configuration'], group?: RuntimeFields): RuntimeFacts {
  const image = group?.image ?? configuration.image;
  const python = group?.python ?? configuration.python;
  const isOptional = (mount: Mount) => 'instance_path' in mount && mount.optional === true;
  const mounts = configuration.volumes ?? [];
  return {
    containerOnly: [
      ...(image ? [`image ${image}`] : []),
      ...((group?.docker ?? configuration.docker) === true ? ['docker: true'] : []),
      ...((group?.privileged ?? configuration.privileged) === true ? ['privileged: true'] : []),
      ...(mounts.some((mount) => !isOptional(mount)) ? ['volumes'] : []),
    ],
    betterInContainer: mounts.some(isOptional) ? ['optional volumes'] : [],
    fromHost: [
      ...(python ? [`Python (asked for ${python})`] : []),
      ...((group?.nvcc ?? configuration.nvcc) === true ? ['CUDA'] : []),
    ],
  };
}

/** Of one job: a replica of a service runs what its group says. */
export function runtimeFactsOfJob(
  configuration: Wire.RunSpec['configuration'],
  job: Pick<Wire.JobSpec, 'replica_group'>,
): RuntimeFacts {
  if (configuration.type !== 'service') return runtimeFacts(configuration);
  const group = replicaGroups(configuration).find(({ name }) => name === (job.replica_group ?? '0'));
  return runtimeFacts(configuration, group);
}

/** What a host without a container engine could not give the job, in the user's words; null: nothing. */
export function containerOnly(
  configuration: Wire.RunSpec['configuration'],
  job: Pick<Wire.JobSpec, 'replica_group'>,
): string | null {
  const names = runtimeFactsOfJob(configuration, job).containerOnly;
  return names.length === 0 ? null : names.join(', ');
}

/** A container when the configuration names what only a container has, else a plain process where the host allows one. */
export function chooseRuntime(
  facts: RuntimeFacts,
  host: HostRuntimes,
  preference: RuntimePreference = 'auto',
): RuntimeChoice {
  const needs = facts.containerOnly.join(', ');
  if (needs !== '' && preference === 'process')
    return { refused: `${needs} needs a container, but the runtime is set to process` };
  if (needs !== '' && !host.container) {
    return {
      refused: `${needs} needs a container, and no container engine answers on this host. Start Docker, or remove it from the configuration`,
    };
  }
  if (needs !== '') return { runtime: 'container', because: `the configuration names ${needs}` };
  if (preference === 'container') return container(host, 'the runtime is set to container');
  if (preference === 'container-first' && host.container)
    return { runtime: 'container', because: 'the host has a container engine' };
  const better = facts.betterInContainer.join(', ');
  if (better !== '' && preference === 'auto' && host.container) {
    return { runtime: 'container', because: `the configuration names ${better}` };
  }
  if (host.process && preference === 'container-first')
    return { runtime: 'process', because: `no container engine answers on the host; ${processReason(facts)}` };
  if (host.process) return { runtime: 'process', because: processReason(facts) };
  if (preference === 'process') return { refused: 'the runtime is set to process, which this host does not allow' };
  return container(host, 'this host runs containers only');
}

function container(host: HostRuntimes, because: string): RuntimeChoice {
  return host.container
    ? { runtime: 'container', because }
    : { refused: 'no container engine answers on this host, and it does not allow plain processes' };
}

function processReason(facts: RuntimeFacts): string {
  return [
    'the configuration names no image, docker, privileged or volumes',
    ...(facts.fromHost.length === 0 ? [] : [`${facts.fromHost.join(' and ')} comes from the host`]),
    ...(facts.betterInContainer.length === 0 ? [] : [`${facts.betterInContainer.join(', ')} are left out`]),
  ].join('; ');
}
