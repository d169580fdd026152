import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { GpuVendor, RuntimeFact } from '@dstack/agent-protocol';
import type Docker from 'dockerode';
import { agentMainPath, folderCommand } from '../self-command.js';
import { AGENT_PATH } from './container-payload.js';
import { DockerRuntime } from './docker-runtime.js';
import { EngineFacts } from './engine-facts.js';

export interface ContainerEngineOptions {
  readonly agentId: string;
  /** The agent's folder; found beside this program when unset. */
  readonly folder: string | undefined;
  readonly gpuVendor: GpuVendor | undefined;
  readonly now: () => number;
  readonly env: NodeJS.ProcessEnv;
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

/** The host's container engine. Nothing of its client is loaded before somebody asks. */
export class ContainerEngine {
  private client: Promise<Docker> | undefined;
  private facts: EngineFacts | undefined;

  constructor(private readonly options: ContainerEngineOptions) {}

  /** Also when the engine is down just now: jobs that run in it must still be adopted. */
  async runtime(): Promise<DockerRuntime> {
    const { agentId, gpuVendor, now, env } = this.options;
    const folder = this.findFolder();
    return new DockerRuntime({
      docker: await this.docker(),
      agentId,
      now,
      folder: folder?.path,
      agentCommand: folder?.command ?? [],
      gpuVendor,
      env: passedOn(env),
      privileged: env['DSTACK_AGENT_PRIVILEGED'] === '1',
      pjrtDevice: env['DSTACK_AGENT_PJRT_DEVICE'],
    });
  }

  async fact(): Promise<RuntimeFact> {
    this.facts ??= new EngineFacts(await this.docker());
    const fact = await this.facts.ask();
    if (!fact.available || this.findFolder() !== undefined) return fact;
    return {
      available: false,
      detail: `${fact.detail}, but the agent's folder for containers has not been built: npm run build:folder -w @dstack/agent`,
    };
  }

  private docker(): Promise<Docker> {
    // 40 ms and 15 MB that a host without containers need not spend. The address is DOCKER_HOST's, else the usual socket.
    this.client ??= import('dockerode').then(({ default: Client }) => new Client());
    return this.client;
  }

  /** The folder this agent runs from; in a checkout, the one built beside it. */
  private findFolder(): { readonly path: string; readonly command: readonly string[] } | undefined {
    const here = dirname(agentMainPath());
    for (const path of [this.options.folder, here, join(here, 'folder')]) {
      if (path === undefined || !existsSync(path)) continue;
      const command = folderCommand(path, AGENT_PATH);
      if (command !== undefined) return { path: resolve(path), command };
    }
    return undefined;
  }
}

function passedOn(env: NodeJS.ProcessEnv): Record<string, string> {
  const set = PROXY_VARIABLES.map((name) => [name, env[name]] as const);
  return Object.fromEntries(set.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
