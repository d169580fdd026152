import {
  BackendError,
  type BalancerRef,
  type BalancerRequest,
  type BalancerSupport,
  type GatewaySupport,
  type MachineRef,
  type MachineState,
} from '@dstack/backend-base';
import {
  type ChallengeAnswer,
  type GatewayAccess,
  type GatewayApi,
  type GatewayCertificate,
  type GatewayState,
  type GatewayStats,
  type GatewayStatus,
  parseGatewayState,
  StaleRevisionError,
  type Wait,
} from '@dstack/gateway-protocol';
import { GatewayConnector } from '../../src/gateways/gateway-connector.js';
import { GatewayHosts } from '../../src/gateways/gateway-hosts.js';
import type { GatewayReplicaRecord } from '../../src/gateways/gateway-replica-record.js';
import { ComputeAccounts } from '../../src/offers/compute-accounts.js';
import type { TestServer } from './start-test-server.js';

/** Machines of a cloud that are gateways, in memory: by token. */
export class GatewayCloud implements GatewaySupport {
  readonly machines = new Map<string, { readonly ref: MachineRef; readonly token: string; readonly balancer: string | null }>(); // prettier-ignore
  readonly balancers = new BalancerCloud();
  refusal: Error | null = null;
  private made = 0;

  async createReplica(attempt: Parameters<GatewaySupport['createReplica']>[0]): Promise<MachineState> {
    if (this.refusal !== null) throw this.refusal;
    const known = [...this.machines.values()].find(({ token }) => token === attempt.token);
    const { cloudName } = attempt;
    const ref = known?.ref ?? { cloudName, machineId: `i-${(this.made += 1)}`, region: attempt.offer.region, zone: null, backendData: null }; // prettier-ignore
    this.machines.set(ref.machineId ?? '', { ref, token: attempt.token, balancer: attempt.balancer });
    return { state: 'pending', ref };
  }

  async get({ machineId }: MachineRef): Promise<MachineState> {
    const machine = this.machines.get(machineId ?? '');
    if (machine === undefined) return { state: 'gone' };
    const agent = { via: 'login' as const, host: '203.0.113.7', port: 22, user: 'ubuntu', jump: null };
    return { state: 'ready', ref: machine.ref, agent, hostname: '203.0.113.7', internalIp: null };
  }

  async terminateReplica({ machineId }: MachineRef): Promise<'done'> {
    this.machines.delete(machineId ?? '');
    return 'done';
  }
}

/** Load balancers of a cloud, in memory: by name. */
export class BalancerCloud implements BalancerSupport {
  readonly made = new Map<string, { readonly request: BalancerRequest; readonly machines: Set<string | null> }>();
  refusal: Error | null = null;
  isReady = true;
  /** Why it cannot be deleted. */
  hold: Error | null = null;

  async ensure(request: BalancerRequest) {
    if (this.refusal !== null) throw this.refusal;
    if (!this.made.has(request.cloudName)) this.made.set(request.cloudName, { request, machines: new Set() });
    if (!this.isReady) return { state: 'pending' as const, reason: 'it is being provisioned' };
    return { state: 'ready' as const, hostname: `${request.cloudName}.elb.example`, addresses: ['10.0.0.0/20'] };
  }

  async join({ cloudName }: BalancerRef, { machineId }: MachineRef): Promise<null> {
    this.made.get(cloudName)?.machines.add(machineId);
    return null;
  }

  async leave({ cloudName }: BalancerRef, { machineId }: MachineRef): Promise<void> {
    this.made.get(cloudName)?.machines.delete(machineId);
  }

  async delete({ cloudName }: BalancerRef): Promise<'done'> {
    if (this.hold !== null) throw this.hold;
    this.made.delete(cloudName);
    return 'done';
  }

  async list(owner: string): Promise<BalancerRef[]> {
    return [...this.made.values()].map(({ request }) => request).filter((request) => request.owner === owner);
  }
}

/** The program of a gateway, without nginx: it keeps what it is told. */
export class FakeGateway implements GatewayApi {
  state: GatewayState | null = null;
  access: GatewayAccess | null = null;
  challenges: ChallengeAnswer[] = [];
  certs: GatewayCertificate[] = [];
  given: readonly ChallengeAnswer[] = [];
  isCut = false;
  /** Hosts it has nothing for. */
  readonly problems = new Map<string, string>();
  traffic: GatewayStats['services'] = [];
  private change = 1;
  private cursor = 1;
  private readonly waiting = new Set<() => void>();

  async info() {
    this.check();
    return {
      service: 'dstack-gateway' as const,
      version: '0',
      protocol: { min: 1, max: 2 },
      gatewayId: 'g',
      startedAt: 0,
      revision: this.state?.revision ?? -1,
      accessRevision: this.access?.revision ?? -1,
    };
  }

  async putState(value: Parameters<GatewayApi['putState']>[0]): Promise<GatewayStatus> {
    this.check();
    const state = parseGatewayState(JSON.parse(JSON.stringify(value)));
    if (this.state !== null && state.revision < this.state.revision) throw new StaleRevisionError(this.state.revision);
    this.state = state;
    this.access = state.access;
    this.tell();
    return this.now();
  }

  async putAccess(access: GatewayAccess): Promise<void> {
    this.check();
    this.access = access;
  }

  async status({ after, waitMs }: Wait, signal: AbortSignal): Promise<GatewayStatus> {
    this.check();
    if (after < 0) throw new Error('after must be a number');
    if (after === this.change) await this.wait(waitMs, signal);
    this.check();
    return this.now();
  }

  async stats({ after, waitMs }: Wait, signal: AbortSignal): Promise<GatewayStats> {
    this.check();
    if (after === this.cursor) await this.wait(Math.min(waitMs, 50), signal);
    this.check();
    return { cursor: this.cursor, services: this.traffic };
  }

  async putChallenges(answers: readonly ChallengeAnswer[]): Promise<void> {
    this.check();
    this.given = answers;
  }

  async certificates(): Promise<GatewayCertificate[]> {
    return this.certs;
  }

  /** Nobody asks it for replicas. */
  ledConnection(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  async putCertificates(certificates: readonly GatewayCertificate[]): Promise<void> {
    this.check();
    this.certs = [...certificates];
  }

  close(): void {
    this.tell();
  }

  tell(): void {
    this.change += 1;
    this.cursor += 1;
    for (const wake of this.waiting) wake();
  }

  private now(): GatewayStatus {
    return {
      revision: this.state?.revision ?? -1,
      accessRevision: this.access?.revision ?? -1,
      change: this.change,
      heardAt: 0,
      heldUntil: 0,
      nginxProblem: null,
      services: (this.state?.services ?? []).map((service) => {
        const text = this.problems.get(service.host);
        const held = this.certs.some(({ host }) => host === service.host);
        return {
          id: service.id,
          host: service.host,
          isServed: text === undefined,
          problem: text === undefined ? null : { kind: 'dns', text },
          certificate: { expiresAt: held ? 5_000_000_000_000 : null, problem: null },
          replicas: service.replicas.map(({ id }) => ({ id, isReady: true, problem: null })),
        };
      }),
      modelHosts: [],
      challenges: this.challenges,
    };
  }

  private check(): void {
    if (this.isCut) throw new Error('the gateway cannot be reached');
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.waiting.add(end);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }
}

export interface GatewayWorld {
  readonly cloud: GatewayCloud;
  /** By number of the replica. */
  gateway(num?: number): FakeGateway;
  readonly installs: string[];
  readonly uninstalls: string[];
  /** Thrown by the next installations. */
  installError: Error | null;
}

/** Every project of the server has an account at a cloud with gateways from now on, and all machines can be reached. */
export function giveGateways(server: TestServer): GatewayWorld {
  const cloud = new GatewayCloud();
  const gateways = new Map<number, FakeGateway>();
  const numbers = new Map<string, number>();
  const world: GatewayWorld = {
    cloud,
    installs: [],
    uninstalls: [],
    installError: null,
    gateway: (num = 0) => {
      const found = gateways.get(num) ?? new FakeGateway();
      gateways.set(num, found);
      return found;
    },
  };
  const hosts: GatewayHosts = server.app.get(GatewayHosts);
  hosts.install = async (replica: GatewayReplicaRecord, onReached) => {
    await onReached();
    if (world.installError !== null) throw world.installError;
    numbers.set(replica.id, replica.replicaNum);
    world.installs.push(replica.hostName ?? replica.cloudName ?? '');
    return 'digest';
  };
  hosts.uninstall = async ({ hostName }) => void world.uninstalls.push(hostName ?? '');
  hosts.wantedDigest = () => null;
  const connector: GatewayConnector = server.app.get(GatewayConnector);
  connector.connect = async (replicaId) => world.gateway(numbers.get(replicaId) ?? 0);
  const accounts: Pick<ComputeAccounts, 'ofProject' | 'open'> = server.app.get(ComputeAccounts);
  const account = {
    type: 'aws',
    definition: {
      type: 'aws',
      maxNameLength: 60,
      idempotency: { kind: 'token' },
      capabilities: { privateGateways: true, gatewayBalancers: true },
      provisioningTimeoutMs: () => 600_000,
    },
    compute: {
      offers: async () => [],
      list: async () => [...cloud.machines.values()].map((each) => ({ ...each, owner: '', createdAt: null })),
      get: (ref: MachineRef) => cloud.get(ref),
      terminate: (ref: MachineRef) => cloud.terminateReplica(ref),
      gateways: cloud,
    },
  };
  // Gateways use no more of an account.
  const typed = account as unknown as Awaited<ReturnType<ComputeAccounts['open']>>;
  accounts.ofProject = async () => [typed];
  accounts.open = async () => typed;
  return world;
}

export function refusedByCloud(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'offer' }, message);
}
