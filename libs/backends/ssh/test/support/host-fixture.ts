import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgentClient, type HttpAgentClient } from '@dstack/agent-protocol';
import { openSshConnection, type SshConnection } from '@dstack/ssh';
import {
  createTestNetwork,
  type TestHost,
  type TestHostOptions,
  type TestNetwork,
  whyNoTestHosts,
} from '@dstack/test-hosts';
import {
  type AgentBundle,
  hostPaths,
  type HostRequest,
  type OnboardRequest,
  packAgentFolder,
} from '../../src/hosts.js';
import { AGENT_FOLDER } from './agent-folder.js';

export const OWNER = '5f0c9a1e-2d3b-4c5d-8e9f-000000000001';
export const INSTANCE = '0d3c0d9a-65a5-4f0e-9c55-000000000001';
export const PATHS = hostPaths(OWNER);

const reason = whyNoTestHosts();

/** `describe`, or the same skipped with its reason printed. */
export function describeOnHosts(title: string, body: () => void): void {
  if (reason !== null) process.stderr.write(`skipped: ${title}: ${reason}\n`);
  (reason === null ? describe : describe.skip)(title, body);
}

/** A network of hosts, the connections to them and the agent to put there. */
export class HostFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'dstack-hosts-'));
  private readonly opened: SshConnection[] = [];

  private constructor(
    private readonly network: TestNetwork,
    private packed: AgentBundle | undefined,
  ) {}

  static async make(): Promise<HostFixture> {
    return new HostFixture(await createTestNetwork(), undefined);
  }

  async bundle(): Promise<AgentBundle> {
    this.packed ??= await this.pack(AGENT_FOLDER);
    return this.packed;
  }

  pack(folder: string): Promise<AgentBundle> {
    // One spec of a run of the tests packs it for all.
    const cacheDir = join(process.env['DSTACK_TEST_ARCHIVES'] ?? this.directory, 'agents');
    return packAgentFolder({ folder, cacheDir, arch: 'x86', signal: AbortSignal.timeout(120_000) });
  }

  host(options: TestHostOptions): Promise<TestHost> {
    return this.network.host(options);
  }

  async connect(host: TestHost): Promise<SshConnection> {
    const connection = await openSshConnection(
      {
        host: host.address,
        port: 22,
        user: host.user,
        privateKeys: [readFileSync(host.identityFile, 'utf8')],
        pinnedHostKey: null,
        jump: null,
      },
      { signal: AbortSignal.timeout(20_000) },
    );
    this.opened.push(connection);
    return connection;
  }

  async request(host: TestHost): Promise<HostRequest> {
    const connection = await this.connect(host);
    return { connection, hostname: host.name, owner: OWNER, instance: INSTANCE, signal: AbortSignal.timeout(80_000) };
  }

  async onboarding(host: TestHost, more: Partial<OnboardRequest> = {}): Promise<OnboardRequest & { steps: string[] }> {
    const steps: string[] = [];
    return {
      ...(await this.request(host)),
      bundle: () => this.bundle(),
      env: {},
      now: Date.now,
      onProgress: (step, detail) => steps.push(`${step} ${detail}`.trim()),
      steps,
      ...more,
    };
  }

  async remove(): Promise<void> {
    for (const connection of this.opened) connection.close();
    await this.network.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function agentOf(connection: SshConnection): HttpAgentClient {
  return createAgentClient({ connect: () => connection.openUnix(PATHS.socket), epoch: 1 });
}
