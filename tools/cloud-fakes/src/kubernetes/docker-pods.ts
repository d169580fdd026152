import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Stored } from './objects.js';
import type { ContainerSpec, PodSpec, VolumeSpec } from './pod-spec.js';
import type { PodRun, PodRunner } from './pod-runner.js';

const run = promisify(execFile);
const LABEL = 'dstack-test-pods';
const CLAIM_PREFIX = `dstack-test-claim-${process.pid}-`;

type Secrets = (name: string) => Readonly<Record<string, string>> | undefined;

/** A node whose containers are those of Docker on this machine, in a network of their own: what pods ask to run really runs. */
export class DockerPods implements PodRunner {
  private readonly directories = new Map<string, string>();

  private constructor(private readonly network: string) {}

  static async start(): Promise<DockerPods> {
    const network = `dstack-test-pods-${process.pid}-${Date.now() % 100_000}`;
    await docker('network', 'create', '--label', LABEL, network);
    return new DockerPods(network);
  }

  async start(pod: Stored, secrets: Secrets): Promise<PodRun> {
    const spec = pod.spec as unknown as PodSpec; // its shape was checked when it came in
    const directory = await mkdtemp(join(tmpdir(), 'pod-'));
    await chmod(directory, 0o755);
    this.directories.set(pod.metadata.uid, directory);
    const mounts = (container: ContainerSpec): string[] => mountsOf(container, spec.volumes ?? [], directory);
    for (const init of spec.initContainers ?? [])
      await docker('run', '--rm', '--pull', 'never', ...mounts(init), ...commandOf(init, secrets));
    const [container] = spec.containers;
    if (container === undefined) throw new Error('a pod has containers');
    const name = nameOf(pod);
    await docker(
      ...['run', '-d', '--name', name, '--network', this.network, '--pull', 'never', '--user', '0:0'],
      // Capabilities are not added: this machine may lack them itself.
      ...(container.securityContext?.privileged ? ['--privileged'] : []),
      ...mounts(container),
      ...commandOf(container, secrets),
    );
    const ip = await docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name);
    // A pod that is stopped is not one that ended.
    const ended = docker('wait', name).then(Number, () => new Promise<number>(() => undefined));
    return { ip, ended };
  }

  async stop(pod: Stored): Promise<void> {
    await docker('rm', '-f', '-v', nameOf(pod)).catch(() => undefined);
    const directory = this.directories.get(pod.metadata.uid);
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }

  /** Names of the containers that run. */
  async running(): Promise<string[]> {
    const names = await docker('ps', '--filter', `network=${this.network}`, '--format', '{{.Names}}');
    return names === '' ? [] : names.split('\n');
  }

  async close(): Promise<void> {
    for (const name of await this.running()) await docker('rm', '-f', name);
    await docker('network', 'rm', this.network);
    const claims = await docker('volume', 'ls', '-q', '--filter', `name=^${CLAIM_PREFIX}`);
    for (const claim of claims.split('\n').filter((name) => name !== '')) await docker('volume', 'rm', claim);
  }
}

function nameOf({ metadata }: Stored): string {
  return `k8s-${metadata.uid}`;
}

/** The command stands for the image's entry point, the arguments for its command. */
function commandOf({ image, command = [], args = [], env = [] }: ContainerSpec, secrets: Secrets): string[] {
  const [entrypoint, ...rest] = command;
  const variables = env.flatMap(({ name, value, valueFrom }) => {
    const from = valueFrom?.secretKeyRef;
    const text = from === undefined ? (value ?? '') : secrets(from.name)?.[from.key];
    if (text === undefined) throw new Error(`secret "${from?.name}" not found`);
    return ['--env', `${name}=${text}`];
  });
  return [...variables, ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]), image, ...rest, ...args];
}

function mountsOf({ volumeMounts = [] }: ContainerSpec, volumes: readonly VolumeSpec[], directory: string): string[] {
  return volumeMounts.flatMap(({ name, mountPath, readOnly }) => {
    const volume = volumes.find((one) => one.name === name);
    if (volume === undefined) throw new Error(`no volume ${name}`);
    if (mountPath === '/dev/shm') return ['--shm-size', volume.emptyDir?.sizeLimit ?? '64m'];
    const claim = volume.persistentVolumeClaim?.claimName;
    // What a claim keeps outlives its pods.
    const source = claim === undefined ? join(directory, name) : `${CLAIM_PREFIX}${claim}`;
    return ['--volume', `${source}:${mountPath}${readOnly ? ':ro' : ''}`];
  });
}

/** @throws {Error} with what Docker said, and nothing of what it was told */
async function docker(...args: string[]): Promise<string> {
  try {
    return (await run('docker', args, { maxBuffer: 2 ** 24 })).stdout.trim();
  } catch (error) {
    const said = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : '';
    throw new Error(/^docker: (.+)$/m.exec(said)?.[1] ?? (said.trim() || 'docker failed'), { cause: error });
  }
}
