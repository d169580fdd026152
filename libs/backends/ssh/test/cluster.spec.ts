import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpAgentClient, JobStart } from '@dstack/agent-protocol';
import type { TestHost } from '@dstack/test-hosts';
import { onboardHost } from '../src/hosts.js';
import { agentOf, describeOnHosts, HostFixture } from './support/host-fixture.js';
import { hasEnded, processJob, readLog, waitFor } from './support/jobs-on-host.js';

const IMAGE = 'dstack-test/debian';
const PORT = 10_022;
const soon = (): AbortSignal => AbortSignal.timeout(20_000);

interface Node {
  readonly host: TestHost;
  readonly client: HttpAgentClient;
}

describeOnHosts('the nodes of a cluster', () => {
  let fixture: HostFixture;
  let nodes: readonly Node[];
  let ips: readonly string[];
  let sshKey: NonNullable<JobStart['cluster']['sshKey']>;

  beforeAll(async () => {
    fixture = await HostFixture.make();
    sshKey = makeKeyPair();
    const made = [];
    for (const name of ['node0', 'node1']) {
      const host = await fixture.host(name === 'node1' ? { name, dockerImages: [IMAGE] } : { name });
      const request = await fixture.onboarding(host);
      await onboardHost(request);
      made.push({ host, client: agentOf(request.connection) });
    }
    nodes = made;
    ips = made.map(({ host }) => host.address);
  });
  afterAll(async () => {
    for (const { client } of nodes) client.close();
    await fixture.remove();
  });

  const nodeJob = (rank: number, script: string, more: Partial<JobStart> = {}): JobStart =>
    processJob(script, {
      ssh: { authorizedKeys: [], listen: { host: '0.0.0.0', port: PORT } },
      cluster: { nodesNum: 2, nodeRank: rank, nodesIps: ips, gpusPerNode: 2, gpusNum: 4, sshKey },
      ...more,
    });

  /** The first asks the second by its address, once that can be entered. */
  async function enterSecond(more: Partial<JobStart>): Promise<string> {
    const [first, second] = nodes;
    if (first === undefined || second === undefined) throw new Error('there are two');
    const worker = nodeJob(1, 'sleep 1000', more);
    await second.client.start(worker, soon());
    await waitFor(second.client, worker.id, (state) => state.phase === 'running');
    const script = [
      'other=$(echo "$DSTACK_NODES_IPS" | sed -n 2p)',
      "ssh $other 'echo rank $DSTACK_NODE_RANK of $DSTACK_NODES_NUM, master $DSTACK_MASTER_NODE_IP; hostname; grep -c 10022 ~/.ssh/config'",
      'cat $DSTACK_MPI_HOSTFILE',
      'echo $DSTACK_GPUS_PER_NODE of $DSTACK_GPUS_NUM',
    ].join('; ');
    const master = nodeJob(0, script);
    await first.client.start(master, soon());
    const end = await waitFor(first.client, master.id, hasEnded);
    const log = await readLog(first.client, master.id);
    expect({ log, end }).toMatchObject({ end: { exitStatus: 0 } });
    for (const { client } of nodes) await client.desire([], soon());
    return log;
  }

  it.each<[string, Partial<JobStart>]>([
    ['processes', {}],
    [
      'containers',
      { runtime: 'container', container: { image: IMAGE, privileged: false, network: 'host', mounts: [] } },
    ],
  ])('are entered by address, as %s', async (_what, more) => {
    const log = await enterSecond(more);
    expect(log.split('\r\n')).toEqual([
      `rank 1 of 2, master ${ips[0]}`,
      'node1',
      '2',
      `${ips[0]} slots=2`,
      `${ips[1]} slots=2`,
      '2 of 4',
      '',
    ]);
  });

  it.each<[string, Partial<JobStart>]>([
    ['process', {}],
    [
      'container',
      { runtime: 'container', container: { image: IMAGE, privileged: false, network: 'host', mounts: [] } },
    ],
  ])('say which port is taken: %s', async (_what, more) => {
    const { client } = nodes[1] ?? { client: undefined };
    const holder = nodeJob(0, 'sleep 1000');
    if (client === undefined) throw new Error('there are two');
    await client.start(holder, soon());
    await waitFor(client, holder.id, (state) => state.phase === 'running');
    const late = nodeJob(0, 'true', more);
    await client.start(late, soon());
    await expect(waitFor(client, late.id, hasEnded)).resolves.toMatchObject({
      reason: 'ports_binding_failed',
      message: expect.stringContaining(`port ${PORT}`) as string,
    });
    await client.desire([], soon());
  });
});

function makeKeyPair(): { privateKey: string; publicKey: string } {
  const directory = mkdtempSync(join(tmpdir(), 'dstack-replica-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', '', '-f', join(directory, 'key')]);
  const pair = {
    privateKey: readFileSync(join(directory, 'key'), 'utf8'),
    publicKey: readFileSync(join(directory, 'key.pub'), 'utf8'),
  };
  rmSync(directory, { recursive: true });
  return pair;
}
