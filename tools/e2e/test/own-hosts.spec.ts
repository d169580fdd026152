import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFullRun } from '../src/full-run.js';
import { type PostgresServer, startPostgres } from '../src/postgres.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const why = whyNoTestHosts();
if (why !== null) console.warn(`The stories of a team with its own hosts are left out: ${why}`);
const postgres: PostgresServer | undefined =
  why === null && isFullRun ? await startPostgres(40_000 + (process.pid % 20_000)) : undefined;
afterAll(() => postgres?.stop());

/** Each takes a processor at least. */
const BLOCKS = availableParallelism() % 4 === 0 ? 4 : 2;

const databases: [string, NodeJS.ProcessEnv][] = [['SQLite', {}]];
if (postgres !== undefined) databases.push(['Postgres', { DSTACK_DATABASE_URL: postgres.url }]);

interface Instance {
  readonly hostname: string;
  readonly status: string;
  readonly unreachable: boolean;
  readonly last_error: string | null;
}

(why === null ? describe : describe.skip).each(databases)(
  'a team with hosts of its own, %s',
  (_database, serverEnv) => {
    const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
    const stack = new Stack({
      ...serverEnv,
      DSTACK_SERVER_UNREACHABLE_JOB_SECONDS: '5',
      DSTACK_SERVER_AGENT_DIR: agents,
    });
    let network: TestNetwork;
    let alpha: TestHost;
    let beta: TestHost;
    let gamma: TestHost;

    beforeAll(async () => {
      cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
      network = await createTestNetwork();
      [alpha, beta, gamma] = await Promise.all([
        network.host({ name: 'alpha' }),
        network.host({ name: 'beta' }),
        network.host({ name: 'gamma', user: 'ops' }),
      ]);
      await stack.start();
    }, 120_000);
    afterAll(async () => {
      await stack.close();
      await network.remove();
      rmSync(agents, { recursive: true, force: true });
    });

    const hostLine = ({ address, user, identityFile }: TestHost, more = ''): string =>
      `    - {hostname: ${address}, user: ${user}, identity_file: ${identityFile}${more}}`;
    const fleetFile = (name: string, lines: readonly string[], more = ''): string =>
      stack.file(name, `type: fleet\nname: ${name}\n${more}\nssh_config:\n  hosts:\n${lines.join('\n')}\n`);
    const applyFleet = (name: string, lines: readonly string[], more = '', ...flags: string[]) =>
      stack.cli(['apply', '-y', '-f', fleetFile(name, lines, more), ...flags]);
    const instances = async (name = 'lab'): Promise<readonly Instance[]> =>
      (await stack.api<{ instances: Instance[] }>('/api/project/main/fleets/get', { name })).instances;
    const task = (name: string, commands: string, more = '') =>
      stack.file(name, `type: task\nname: ${name}\ncommands:\n${commands}\n${SMALL}\nfleets: [lab]\n${more}\n`);
    const apply = (name: string, ...more: string[]) => stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...more]);
    const log = async (name: string): Promise<string> => (await stack.cli(['logs', name])).stdout;
    const hostOf = async (name: string): Promise<TestHost> => {
      const run = await stack.api<{ latest_job_submission: { job_provisioning_data: { hostname: string } | null } }>(
        '/api/project/main/runs/get',
        { run_name: name },
      );
      const found = [alpha, beta, gamma].find(
        ({ address }) => address === run.latest_job_submission.job_provisioning_data?.hostname,
      );
      if (found === undefined) throw new Error(`run ${name} is on no host`);
      return found;
    };
    const ticks = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.startsWith('tick '));
    const allTicks = (count: number): string[] => Array.from({ length: count }, (_, index) => `tick ${index + 1}`);

    it('becomes a fleet with one command', async () => {
      const applied = await applyFleet(
        'lab',
        [alpha, beta, gamma].map((host) => hostLine(host)),
        'placement: cluster',
      );
      expect(applied).toMatchObject({ code: 0 });
      expect((await instances()).map(({ hostname, status }) => [hostname, status])).toEqual(
        [alpha, beta, gamma].map(({ address }) => [address, 'idle']),
      );
    });

    it('runs a task whose two nodes talk to each other', async () => {
      task(
        'pair',
        `  - |
    if [ "$DSTACK_NODE_RANK" = 0 ]; then
      python3 -c 'import socket; s = socket.create_server(("0.0.0.0", 7000)); c = s.accept()[0]; print("master heard", c.recv(99).decode()); c.sendall(b"well met")'
    else
      python3 -c 'import os, socket, time
    for _ in range(100):
        try:
            c = socket.create_connection((os.environ["DSTACK_MASTER_NODE_IP"], 7000)); break
        except OSError: time.sleep(0.1)
    c.sendall(b"worker"); print("worker heard", c.recv(99).decode())'
    fi
    echo "rank $DSTACK_NODE_RANK of $DSTACK_NODES_NUM"`,
        'nodes: 2',
      );
      const result = await apply('pair');
      expect(result).toMatchObject({ code: 0 });
      expect(await log('pair')).toMatch(/master heard worker[^]*rank 0 of 2/);
      expect((await stack.cli(['logs', 'pair', '--job', '1'])).stdout).toMatch(/worker heard well met[^]*rank 1 of 2/);
    });

    if (canRunContainers()) {
      it('runs a container on a host with an engine', async () => {
        const delta = await network.host({ name: 'delta', dockerImages: [TEST_IMAGE] });
        expect(await applyFleet('boxes', [hostLine(delta)])).toMatchObject({ code: 0 });
        const body = `commands:\n  - . /etc/os-release; echo "inside $VERSION_CODENAME"\nimage: ${TEST_IMAGE}\n${SMALL}`;
        stack.file('boxed', `type: task\nname: boxed\nfleets: [boxes]\n${body}\n`);
        const result = await apply('boxed');
        expect(result).toMatchObject({ code: 0 });
        expect(result.stdout).toContain('inside bookworm');
      });
    }

    it('loses no line when the agent is killed', async () => {
      task('steady', '  - for i in $(seq 1 60); do echo "tick $i"; sleep 0.1; done');
      await apply('steady', '-d');
      await stack.until('the first ticks', async () => (await log('steady')).includes('tick 5'));
      const host = await hostOf('steady');
      const processes = await host.pids('agent.cjs host');
      expect(processes.length).toBeGreaterThan(0);
      await host.run(`kill -9 ${processes.join(' ')}`);
      await stack.until('the run to end', async () => (await stack.statusOf('steady')).includes('exited (0)'), 60_000);
      expect(ticks(await log('steady'))).toEqual(allTicks(60));
    });

    it('loses no line when the server is killed', async () => {
      task('orphan', '  - for i in $(seq 1 60); do echo "tick $i"; sleep 0.1; done');
      await apply('orphan', '-d');
      await stack.until('the first ticks', async () => (await log('orphan')).includes('tick 5'));
      await stack.killServer('SIGKILL');
      await stack.start();
      await stack.until('the run to end', async () => (await stack.statusOf('orphan')).includes('exited (0)'), 60_000);
      expect(ticks(await log('orphan'))).toEqual(allTicks(60));
    });

    it('gets the newer agent of a newer server while a job prints', async () => {
      const enough = '/var/tmp/dstack-printed-enough';
      task('renewed', `  - i=0; until [ -e ${enough} ]; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done`);
      await apply('renewed', '-d');
      await stack.until('the first ticks', async () => (await log('renewed')).includes('tick 5'));
      const host = await hostOf('renewed');
      const agentInUse = () => host.run('readlink /var/lib/dstack/*/current');
      const before = await agentInUse();
      await stack.killServer('SIGTERM');
      writeFileSync(join(agents, 'folder', 'newer'), 'than before');
      await stack.start();
      // It packs 118 MB and sends them to three hosts: seconds of work for a processor that other stories want, too.
      await stack.until('another agent', async () => (await agentInUse()) !== before, 180_000);
      const seen = ticks(await log('renewed')).length;
      await stack.until('ticks under the newer agent', async () => ticks(await log('renewed')).length > seen + 5);
      await host.run(`touch ${enough}`);
      await stack.until('the run to end', async () => (await stack.statusOf('renewed')).includes('exited (0)'), 60_000);
      const printed = ticks(await log('renewed'));
      expect(printed).toEqual(allTicks(printed.length));
    }, 300_000);

    it('runs on another host when the first is restarted in the middle', async () => {
      task(
        'moved',
        '  - for i in $(seq 1 40); do echo "tick $i"; sleep 0.1; done',
        'retry: {on_events: [error, interruption], duration: 10m}',
      );
      await apply('moved', '-d');
      await stack.until('the first ticks', async () => (await log('moved')).includes('tick 3'));
      const first = await hostOf('moved');
      await first.reboot();
      await stack.until('the run to end', async () => (await stack.statusOf('moved')).includes('exited (0)'), 90_000);
      expect(ticks(await log('moved')).slice(-40)).toEqual(allTicks(40));
      await stack.until(
        'the host to be back',
        async () => (await instances()).every(({ unreachable, status }) => !unreachable && status === 'idle'),
        60_000,
      );
    });

    if (isFullRun) {
      it('runs on another host when the first is lost, and takes the first back', async () => {
        task(
          'lost',
          '  - for i in $(seq 1 300); do echo "tick $i"; sleep 0.2; done',
          'retry: {on_events: [error], duration: 10m}',
        );
        await apply('lost', '-d');
        await stack.until('the first ticks', async () => (await log('lost')).includes('tick 5'));
        const first = await hostOf('lost');
        await first.cut();
        await stack.until(
          'another host',
          // Between two attempts it is on none.
          async () => (await hostOf('lost').catch(() => first)).address !== first.address,
          120_000,
        );
        await first.mend();
        await stack.until('the host to be back', async () => (await instances()).every((each) => !each.unreachable), 60_000); // prettier-ignore
        expect(await first.pids('seq 1 300')).toEqual([]);
        await stack.cli(['stop', '-x', '-y', 'lost']);
      }, 240_000);
    }

    it('reaches a host behind another, in blocks that as many jobs share and one more waits for', async () => {
      const two = [alpha, gamma].map((host) => hostLine(host));
      expect(await applyFleet('lab', two, 'placement: cluster')).toMatchObject({ code: 0 });
      const { identityFile, user, address } = alpha;
      const jump = `, proxy_jump: {hostname: ${address}, user: ${user}, identity_file: ${identityFile}}, blocks: ${BLOCKS}`;
      await stack.until('the host to be free', async () => (await instances()).length === 2);
      expect(await applyFleet('behind', [hostLine(beta, jump)])).toMatchObject({ code: 0 });
      const names = Array.from({ length: BLOCKS }, (_, index) => `share-${index + 1}`);
      const until = 'until [ -e /tmp/enough ]; do sleep 0.2; done';
      const small = 'resources: {cpu: 1, memory: 128MB.., disk: 1GB..}\nfleets: [behind]';
      for (const name of [...names, 'late']) {
        const retry = name === 'late' ? 'retry: {on_events: [no-capacity], duration: 10m}' : '';
        stack.file(
          name,
          `type: task\nname: ${name}\ncommands:\n  - ${until}; echo "${name} done"\n${small}\n${retry}\n`,
        );
        expect(await apply(name, '-d')).toMatchObject({ code: 0 });
      }
      await stack.until('as many to run at once as there are blocks', async () => {
        const lines = await Promise.all(names.map((name) => stack.statusOf(name)));
        return lines.every((line) => line.includes('running'));
      });
      await stack.until('the other to be told why it waits', async () =>
        (await stack.cli(['ps', '-v'])).stdout.includes('would fit after run share-1'),
      );
      await beta.run('touch /tmp/enough');
      for (const name of [...names, 'late']) {
        await stack.until(`${name} to end`, async () => (await stack.statusOf(name)).includes('exited (0)'), 60_000);
        expect(await log(name)).toContain(`${name} done`);
      }
    });

    it('refuses a host whose key changed', async () => {
      await gamma.replaceHostKey();
      await gamma.reboot();
      const changed = await stack.until('the refusal', async () => {
        const found = (await instances()).find(({ hostname }) => hostname === gamma.address);
        return found?.unreachable === true && found.last_error?.includes('host key') === true ? found : undefined;
      });
      expect(changed.last_error).toMatch(/had SHA256:[^ ]+ before/);
    });

    it('leaves nothing on a host that it lets go', async () => {
      expect((await stack.cli(['fleet', 'delete', '-y', 'behind'])).code).toBe(0);
      await stack.until('the fleet to go', async () => !(await stack.cli(['fleet'])).stdout.includes('behind'));
      expect(await beta.pids('agent.cjs')).toEqual([]);
      expect((await beta.run('ls -A /var/lib/dstack /usr/local/lib/dstack 2>/dev/null || true')).trim()).toBe('');
    });
  },
);
