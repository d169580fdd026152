import { agentFolder } from '@dstack/e2e/programs';
import { SMALL, Stack } from '@dstack/e2e/stack';
import { createTestNetwork, type TestHost, type TestNetwork } from '@dstack/test-hosts';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server with one host reached over SSH, on which two jobs can run. */
export class HostWithServer {
  private constructor(
    readonly stack: Stack,
    readonly host: TestHost,
    private readonly network: TestNetwork,
    private readonly agents: string,
  ) {}

  static async start(): Promise<HostWithServer> {
    const agents = mkdtempSync(join(tmpdir(), 'dstack-bench-agents-'));
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    const stack = new Stack({ DSTACK_SERVER_AGENT_DIR: agents, DSTACK_SERVER_LOG_QUOTA_PER_JOB_HOUR: '0' });
    const network = await createTestNetwork();
    const host = await network.host({ name: 'flooded' });
    const started = new HostWithServer(stack, host, network, agents);
    try {
      await stack.start();
      const { address, user, identityFile } = host;
      stack.file(
        'lab',
        `type: fleet\nname: lab\nssh_config:\n  hosts:\n    - {hostname: ${address}, user: ${user}, identity_file: ${identityFile}, blocks: 2}\n`,
      );
      const applied = await stack.cli(['apply', '-y', '-f', 'lab.dstack.yml']);
      if (applied.code !== 0) throw new Error(`the fleet failed: ${applied.stdout}${applied.stderr}`);
      return started;
    } catch (error) {
      await started.remove();
      throw error;
    }
  }

  /** Returns when it is submitted. */
  async submit(name: string, command: string): Promise<void> {
    this.stack.file(
      name,
      `type: task\nname: ${name}\nfleets: [lab]\n${SMALL}\ncommands:\n  - ${JSON.stringify(command)}\n`,
    );
    const applied = await this.stack.cli(['apply', '-y', '-d', '-f', `${name}.dstack.yml`]);
    if (applied.code !== 0) throw new Error(`${name} failed: ${applied.stdout}${applied.stderr}`);
  }

  async remove(): Promise<void> {
    await this.stack.close();
    await this.network.remove();
    rmSync(this.agents, { recursive: true, force: true });
  }
}
