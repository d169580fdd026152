import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { isFullRun } from '../src/full-run.js';
import { Stack } from '../src/stack.js';

const why = whyNoTestHosts();
if (why !== null) console.warn(`The stories of shared hosts are left out: ${why}`);
const TINY = 'resources: {cpu: 1.., memory: 64MB.., disk: 1GB..}';

/** As the tool of a host with two devices; the second has as many uncorrectable errors as the file says. */
const NVIDIA_SMI = `#!/bin/sh
case "$*" in
  -L) echo 'GPU 0: Tesla T4 (UUID: GPU-0)' ;;
  *query-gpu=name*) printf 'Tesla T4, 15360, GPU-0, 550.54.15\\nTesla T4, 15360, GPU-1, 550.54.15\\n' ;;
  *query-gpu=index*) printf '0, GPU-0, 7, 0, 0, No\\n1, GPU-1, 9, %s, 0, No\\n' "$(cat /root/errors)" ;;
  *query-gpu=uuid*) printf 'GPU-0, 100, 7\\nGPU-1, 200, 9\\n' ;;
esac
`;

(why === null ? describe : describe.skip)('hosts that jobs share', () => {
  const stack = new Stack();
  let network: TestNetwork;
  let hosts: readonly TestHost[];
  let gpus: TestHost;

  beforeAll(async () => {
    network = await createTestNetwork();
    hosts = await Promise.all(['alpha', 'beta'].map((name) => network.host({ name })));
    gpus = await network.host({ name: 'gpus', user: 'ops' });
    await gpus.run(
      'touch /dev/nvidiactl; echo 0 > /root/errors; cat > /usr/local/bin/nvidia-smi; chmod +x /usr/local/bin/nvidia-smi',
      NVIDIA_SMI,
    );
    await stack.start();
  }, 120_000);
  afterAll(async () => {
    await stack.close();
    await network.remove();
  });

  const hostLine = ({ address, user, identityFile }: TestHost, more = ''): string =>
    `    - {hostname: ${address}, user: ${user}, identity_file: ${identityFile}${more}}`;
  async function applyFleet(name: string, lines: readonly string[], more = ''): Promise<void> {
    const file = stack.file(name, `type: fleet\nname: ${name}\n${more}\nssh_config:\n  hosts:\n${lines.join('\n')}\n`);
    expect(await stack.cli(['apply', '-y', '-f', file])).toMatchObject({ code: 0 });
  }
  const apply = (name: string, text: string, ...more: string[]) =>
    stack.cli(['apply', '-y', '-f', stack.file(name, `type: task\nname: ${name}\n${text}\n`), ...more]);
  const log = async (name: string): Promise<string> => (await stack.cli(['logs', name])).stdout;
  const isRunning = async (name: string): Promise<boolean> => (await stack.statusOf(name)).includes('running');

  it('the nodes of a cluster enter each other by address', async () => {
    await applyFleet('ring', hosts.map((host) => hostLine(host)), 'placement: cluster'); // prettier-ignore
    const commands = `commands:
  - |
    if [ "$DSTACK_NODE_RANK" = 0 ]; then
      for ip in $DSTACK_NODES_IPS; do ssh $ip 'echo I am rank $DSTACK_NODE_RANK on $(hostname); touch done'; done
    fi
    until [ -e done ]; do sleep 0.2; done`;
    expect(await apply('circle', `nodes: 2\nfleets: [ring]\n${commands}\n${TINY}`)).toMatchObject({ code: 0 });
    const lines = await log('circle');
    for (const line of ['I am rank 0 on alpha', 'I am rank 1 on beta']) expect(lines).toContain(line);
  });

  it('two jobs have a GPU each, and their owner’s key leads to them for as long as they run', async () => {
    await applyFleet('shop', [hostLine(gpus, ', blocks: 2')]);
    const text = 'fleets: [shop]\ncommands:\n  - echo "mine is $CUDA_VISIBLE_DEVICES"; sleep 1000\nresources: {cpu: 1, gpu: "T4:1", memory: 64MB.., disk: 1GB..}'; // prettier-ignore
    for (const name of ['left', 'right']) expect(await apply(name, text, '-d')).toMatchObject({ code: 0 });
    for (const name of ['left', 'right']) await stack.until(`${name} to run`, () => isRunning(name));
    const said = await stack.until('both logs', async () => {
      const logs = (await Promise.all(['left', 'right'].map(log))).map((each) => /mine is (GPU-\d)/.exec(each)?.[1]);
      return logs.every((each) => each !== undefined) && logs;
    });
    expect([...said].sort()).toEqual(['GPU-0', 'GPU-1']);

    for (const name of ['left', 'right']) expect(await enter(name, 'echo $DSTACK_RUN_NAME')).toBe(`${name}\n`);
    await stack.cli(['stop', '-x', '-y', 'left', 'right']);
    await stack.until('both to end', async () => !(await isRunning('left')) && !(await isRunning('right')));
    await stack.until('the keys to go', async () => (await gpus.run('cat /var/lib/dstack-door/.ssh/authorized_keys')) === ''); // prettier-ignore
  });

  it('who waits for a host is told whose run is in the way, and has it as soon as that ends', async () => {
    const text = (command: string, count: number) =>
      `fleets: [shop]\ncommands: ['${command}']\nretry: true\nresources: {cpu: 1.., gpu: 'T4:${count}', memory: 64MB.., disk: 1GB..}`;
    await apply('early', text('sleep 1000', 1), '-d');
    await stack.until('the first to run', () => isRunning('early'));
    await apply('late', text('echo served', 2), '-d');
    await stack.until('the second to wait', async () => (await stack.statusOf('late')).includes('retrying'));
    const { stdout } = await stack.cli(['ps', '-v'], { env: { COLUMNS: '100' } });
    expect(stdout).toContain('- host shop-0: 2 gpus needed, 1 of 2 free');
    expect(stdout).toContain('- would fit after run early (admin): shop-0');
    await stack.cli(['stop', '-x', '-y', 'early']);
    // Sooner than the clock would try it again by then.
    await stack.until('it to be served', async () => (await stack.statusOf('late')).includes('exited (0)'), 12_000);
  });

  if (isFullRun) {
    it('who leaves a GPU idle loses it, who uses one keeps it', async () => {
      // The tool says 7 and 9 percent; the shortest window there may be is five minutes.
      const text = (percent: number) =>
        `fleets: [shop]\ncommands: [sleep 1000]\nresources: {cpu: 1, gpu: 'T4:1', memory: 64MB.., disk: 1GB..}\nutilization_policy: {min_gpu_utilization: ${percent}, time_window: 5m}`;
      for (const [name, percent] of [['busy', 5], ['lazy', 50]] as const) {
        expect(await apply(name, text(percent), '-d')).toMatchObject({ code: 0 });
        await stack.until(`${name} to run`, () => isRunning(name));
      } // prettier-ignore
      await stack.until('the idle one to end', async () => !(await isRunning('lazy')), 330_000);
      const run = await stack.api<{ latest_job_submission: { termination_reason: string } }>('/api/project/main/runs/get', { run_name: 'lazy' }); // prettier-ignore
      expect(run.latest_job_submission.termination_reason).toBe('terminated_due_to_utilization_policy');
      expect(await stack.statusOf('lazy')).toContain('utilization policy');
      expect(await isRunning('busy')).toBe(true);
      await stack.cli(['stop', '-x', '-y', 'busy']);
      await stack.until('the other to end', async () => !(await isRunning('busy')));
    }, 420_000);

    it('an ill one gets no new jobs and says why, until it is well again', async () => {
      await gpus.run('echo 3 > /root/errors');
      const wide = { env: { COLUMNS: '300' } };
      const illness = 'GPU 1: 3 uncorrectable memory errors';
      await stack.until('the illness to be seen', async () => (await stack.cli(['fleet', '-v'])).stdout.includes('(failure)'), 90_000); // prettier-ignore
      expect((await stack.cli(['fleet', '-v'], wide)).stdout).toContain(illness);
      const events = JSON.stringify(await stack.api('/api/events/list', { limit: 50 }));
      expect(events).toContain('Instance health changed HEALTHY -> FAILURE');
      const retry = 'retry: {on_events: [no-capacity], duration: 10m}';
      await apply('patient', `fleets: [shop]\ncommands: [echo served]\n${TINY}\n${retry}`, '-d');
      await stack.until(
        'it to find no place',
        async () => (await stack.statusOf('patient')).includes('retrying'),
        30_000,
      );
      await gpus.run('echo 0 > /root/errors');
      await stack.until(
        'the run to end',
        async () => (await stack.statusOf('patient')).includes('exited (0)'),
        120_000,
      );
    }, 300_000);
  }

  /** As the person who applied the run: with the key of their command line, through the host. */
  async function enter(name: string, command: string): Promise<string> {
    interface Submission {
      readonly job_provisioning_data: { readonly ssh_port: number };
      readonly job_runtime_data: { readonly ports: Readonly<Record<string, number>> | null } | null;
    }
    const { latest_job_submission: submission } = await stack.api<{ latest_job_submission: Submission }>(
      '/api/project/main/runs/get',
      { run_name: name },
    );
    const ports = submission.job_runtime_data?.ports ?? {};
    const port = Object.values(ports)[0] ?? submission.job_provisioning_data.ssh_port;
    const { ssh_private_key: key } = await stack.api<{ ssh_private_key: string }>('/api/users/get_my_user');
    const identity = join(stack.work, 'user-key');
    writeFileSync(identity, key, { mode: 0o600 });
    const options = ['-i', identity, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
    const quiet = ['-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes'];
    const proxy = ['ssh', ...options, ...quiet, '-W', '%h:%p', `dstack-door@${gpus.address}`].join(' ');
    return execFileSync(
      'ssh',
      [...options, ...quiet, '-o', `ProxyCommand=${proxy}`, '-p', String(port), 'root@localhost', command],
      { encoding: 'utf8', timeout: 20_000 },
    );
  }
});
