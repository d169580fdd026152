import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestNetwork, type TestHost } from '@dstack/test-hosts';
import type { PostgresServer } from '../postgres.js';
import { agentFolder } from '../programs.js';
import { Stack } from '../stack.js';
import { BreakableWay } from './breakable-way.js';
import { busyInstances } from './busy-instances.js';
import type { CrashWorld } from './crash-world.js';

const REPLICAS = 3;

/** Three servers on one Postgres, and two hosts that each of them reaches over SSH. */
export async function ownHostsWorld(postgres: PostgresServer): Promise<CrashWorld> {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
  const network = await createTestNetwork();
  const hosts = [await network.host({ name: 'one' }), await network.host({ name: 'two' })];
  const env = {
    DSTACK_DATABASE_URL: postgres.url,
    DSTACK_SERVER_AGENT_DIR: agents,
    DSTACK_SERVER_ADMIN_TOKEN: randomBytes(16).toString('hex'),
  };
  const way = await BreakableWay.to(postgres.port);
  const servers = Array.from({ length: REPLICAS }, (_, index) =>
    index < REPLICAS - 1 ? new Stack(env) : new Stack({ ...env, DSTACK_DATABASE_URL: postgres.urlAt(way.port) }),
  );
  for (const server of servers) await server.start();
  const [front] = servers;
  if (front === undefined) throw new Error('no server');
  await makeFleet(front, hosts);
  return {
    name: `own hosts, ${REPLICAS} replicas on Postgres`,
    servers,
    postgres,
    image: undefined,
    wayToPostgres: way,
    signalAgents: async (signal) => {
      for (const host of hosts) {
        const pids = await host.pids('agent.cjs host --dir');
        if (pids.length > 0) await host.run(`kill -${signal.slice('SIG'.length)} ${pids.join(' ')} 2>/dev/null || :`);
      }
    },
    leftovers: async () => {
      const processes = await Promise.all(
        hosts.map(async (host) =>
          (await host.pids('agent.cjs job --dir')).map((pid) => `${host.name}: process ${pid}`),
        ),
      );
      return [...(await busyInstances(front)), ...processes.flat()];
    },
    close: async () => {
      for (const server of servers) await server.close();
      way.close();
      await network.remove();
      await postgres.stop();
      rmSync(agents, { recursive: true, force: true });
    },
  };
}

async function makeFleet(stack: Stack, hosts: readonly TestHost[]): Promise<void> {
  const lines = hosts.map(
    ({ address, user, identityFile }) =>
      `    - {hostname: ${address}, user: ${user}, identity_file: ${identityFile}, blocks: 2}`,
  );
  const file = stack.file('lab', `type: fleet\nname: lab\nssh_config:\n  hosts:\n${lines.join('\n')}\n`);
  const { code, stderr } = await stack.cli(['apply', '-y', '-f', file]);
  if (code !== 0) throw new Error(`the fleet: ${stderr}`);
}
