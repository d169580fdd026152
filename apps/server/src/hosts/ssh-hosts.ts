import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AgentAddress } from '@dstack/backend-base';
import { hostOffer } from '@dstack/core';
import type { HostRequest, OnboardedHost, OnboardingStep } from '@dstack/backend-ssh/hosts';
import type { SshConnection } from '@dstack/ssh';
import { INSTALLATION, type Installation } from '../bootstrap/installation.js';
import { Database } from '../persistence/database.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { AgentBundles } from './agent-bundles.js';
import type { HostAccess } from './host-access.js';
import { HostDialer } from './host-dialer.js';
import { tellStep } from './host-progress.js';
import { wakeOlderAgents } from './wake-older-agents.js';
import { Hosts, type InstalledAgent, type ReadyHost, UnfitHostError } from './hosts.js';

/** One try; an upload over a slow line needs minutes. */
const ONBOARD_LIMIT_MS = 8 * 60_000;
const OFFBOARD_LIMIT_MS = 60_000;
const STEP_TEXT: Readonly<Record<OnboardingStep, string>> = {
  connect: 'connecting',
  check: 'checking the host',
  upload: 'uploading the agent',
  start: 'starting the agent',
  inspect: 'looking at what the host has',
};

@Injectable()
export class SshHosts extends Hosts {
  private readonly log = new Logger('Hosts');

  constructor(
    private readonly db: Database,
    @Inject(HostDialer) private readonly dialer: HostDialer,
    @Inject(AgentBundles) private readonly bundles: AgentBundles,
    @Inject(INSTALLATION) private readonly installation: Installation,
    @Inject(WORLD) private readonly world: World,
    @Inject(Wake) wake: Wake,
  ) {
    super();
    bundles.onMade((digest) => db.write((tx) => wakeOlderAgents(tx, wake, digest)));
  }

  async onboard(instanceId: string, onReached: () => Promise<void>, signal: AbortSignal): Promise<ReadyHost> {
    const { onboardHost } = await import('@dstack/backend-ssh/hosts');
    this.tell(instanceId, 'connect', '');
    return this.visit(instanceId, { signal, limitMs: ONBOARD_LIMIT_MS }, async (request, access) => {
      const onboarded = await onboardHost({
        ...request,
        // Asked for when the host has passed its examination, before anything is put on it: one that has not need not be visited again.
        bundle: async (arch) => {
          await onReached();
          return this.bundles.get(arch);
        },
        env: access.env,
        onProgress: (step, detail) => this.tell(instanceId, step, detail),
        now: () => this.world.clock.now(),
      });
      return readyHost(access, onboarded, request.connection);
    });
  }

  async installAgent(instanceId: string, signal: AbortSignal): Promise<InstalledAgent> {
    const { onboardHost } = await import('@dstack/backend-ssh/hosts');
    return this.visit(instanceId, { signal, limitMs: ONBOARD_LIMIT_MS }, async (request, access) => {
      const onboarded = await onboardHost({
        ...request,
        bundle: (arch) => this.bundles.get(arch),
        env: access.env,
        onProgress: (step, detail) => this.tell(instanceId, step, detail),
        now: () => this.world.clock.now(),
      });
      return { agent: agentAddress(access, onboarded, request.connection), agentDigest: onboarded.agentDigest };
    });
  }

  async replaceAgent(instanceId: string, signal: AbortSignal): Promise<string> {
    const { replaceAgent } = await import('@dstack/backend-ssh/hosts');
    return this.visit(instanceId, { signal, limitMs: ONBOARD_LIMIT_MS }, async (request) => {
      const bundle = (arch: 'x86' | 'arm') => this.bundles.get(arch);
      const { agentDigest } = await replaceAgent({ ...request, bundle, onProgress: () => undefined });
      this.log.log(`The agent on host ${request.hostname} was replaced`);
      return agentDigest;
    });
  }

  async offboard(instanceId: string, signal: AbortSignal): Promise<void> {
    const { removeAgent } = await import('@dstack/backend-ssh/hosts');
    await this.visit(instanceId, { signal, limitMs: OFFBOARD_LIMIT_MS }, (request) => removeAgent(request));
  }

  agentDigest(arch: 'x86' | 'arm'): string | null {
    return this.bundles.digestOf(arch);
  }

  private async visit<T>(
    instanceId: string,
    { signal, limitMs }: { readonly signal: AbortSignal; readonly limitMs: number },
    work: (request: HostRequest, access: HostAccess) => Promise<T>,
  ): Promise<T> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    const { connection, access } = await this.dialer.dial(instanceId, within);
    try {
      const { hostname } = access.host;
      const request = { connection, hostname, owner: this.installation.id, instance: instanceId, signal: within };
      return await work(request, access);
    } finally {
      connection.close();
    }
  }

  private tell(instanceId: string, step: OnboardingStep, detail: string): void {
    const text = detail === '' ? STEP_TEXT[step] : `${STEP_TEXT[step]}, ${detail}`;
    tellStep(this.db, instanceId, text).catch((error: unknown) => {
      this.log.debug(
        `The progress of a host was not stored: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }
}

function readyHost(access: HostAccess, onboarded: OnboardedHost, connection: SshConnection): ReadyHost {
  const { host } = access;
  const offered = hostOffer(host, onboarded.info.host);
  if (!offered.ok) throw new UnfitHostError(`host ${host.hostname}: ${offered.problem}`);
  return {
    offer: offered.offer,
    blocks: offered.blocks,
    machine: {
      ref: { cloudName: host.hostname, machineId: null, region: 'remote', zone: null, backendData: null },
      state: 'ready',
      message: null,
      agent: agentAddress(access, onboarded, connection),
      agentDigest: onboarded.agentDigest,
      replaceAgentAt: null,
      hostname: host.hostname,
      internalIp: offered.internalIp,
      terminateFailures: 0,
      nextTerminateAt: null,
    },
  };
}

function agentAddress({ host }: HostAccess, onboarded: OnboardedHost, { hostKey }: SshConnection): AgentAddress {
  const { jump } = host;
  return {
    via: 'ssh',
    host: host.hostname,
    port: host.port,
    user: host.user,
    hostKey,
    socketPath: onboarded.agentSocketPath,
    jump: jump === null ? null : { host: jump.hostname, port: jump.port, user: jump.user },
  };
}
