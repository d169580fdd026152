import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobStart, Mount, PullProgress } from '@dstack/agent-protocol';
import Docker from 'dockerode';
import { DockerRuntime } from '../../src/docker/docker-runtime.js';
import type { RuntimeHandle } from '../../src/host/runtime.js';
import { scanLog } from './scan-log.js';
import { containerJob } from './container-job.js';
import { BUSYBOX_IMAGE, describeContainers, docker, importBusybox, scriptFolder } from './engine.js';
import { BreakableEngine } from './breakable-engine.js';

type ContainerHandle = Extract<RuntimeHandle, { kind: 'container' }>;

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

describeContainers('jobs in containers of a real engine', () => {
  const dirs: string[] = [];
  const handles: ContainerHandle[] = [];
  const agentId = `test-${randomUUID()}`;

  beforeAll(() => {
    importBusybox(BUSYBOX_IMAGE, [
      'USER 1000:1000',
      'WORKDIR /work',
      'ENTRYPOINT ["/bin/sh","-c"]',
      'CMD ["true"]',
      'ENV LD_PRELOAD=x.so',
    ]);
  });
  afterEach(async () => {
    for (const { containerId } of handles.splice(0)) {
      await docker
        .getContainer(containerId)
        .remove({ force: true, v: true })
        .catch(() => undefined);
    }
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
  });

  const makeDir = (): string => {
    const dir = mkdtempSync(join(tmpdir(), 'docker-test-'));
    dirs.push(dir);
    return dir;
  };

  function makeRuntime(script: string, client: Docker = docker): DockerRuntime {
    const stand = scriptFolder(script);
    dirs.push(stand.folder);
    return new DockerRuntime({
      ...stand,
      docker: client,
      agentId,
      now: Date.now,
      gpuVendor: undefined,
      env: {},
      privileged: false,
    });
  }

  async function launch(runtime: DockerRuntime, job: JobStart, sharedDir = makeDir(), signal = soon()) {
    const phases: string[] = [];
    let handle: ContainerHandle | undefined;
    const done = runtime.launch({
      job,
      sharedDir,
      gpuIds: [],
      signal,
      onPhase: (phase: string, _pull?: PullProgress) => phases.push(phase),
      onHandle: async (given) => {
        if (given.kind !== 'container') throw new Error('not a container');
        handle = given;
        handles.push(given);
      },
    });
    await done;
    if (handle === undefined) throw new Error('no handle was given');
    return { handle, phases, sharedDir };
  }

  it('runs the job side as root, in the shared directory, and tells how it ended', async () => {
    const runtime = makeRuntime(
      'id -u > /run/dstack/job/uid; echo "$@" > /run/dstack/job/args; echo last words; exit 7',
    );
    const { handle, phases, sharedDir } = await launch(runtime, containerJob());
    const loss = await runtime.waitGone(handle, soon());
    expect(phases).toEqual(['pulling', 'creating', 'starting']);
    expect(readFileSync(join(sharedDir, 'uid'), 'utf8').trim()).toBe('0');
    expect(readFileSync(join(sharedDir, 'args'), 'utf8').trim()).toBe('job --dir /run/dstack/job');
    expect(loss.message).toContain('status 7');
    expect(loss.message).toContain('last words');
    expect(await runtime.isAlive(handle)).toBe(false);
  });

  it('hands over what the image defines, and shields the agent from its variables', async () => {
    const runtime = makeRuntime('echo "preload=[$LD_PRELOAD]" > /run/dstack/job/seen');
    const { handle, sharedDir } = await launch(runtime, containerJob());
    await runtime.waitGone(handle, soon());
    expect(JSON.parse(readFileSync(join(sharedDir, 'context.json'), 'utf8'))).toEqual({
      runtime: 'container',
      defaultWorkingDir: '/work',
      publicDir: '/dstack',
      imageUser: '1000:1000',
      imageCommand: ['/bin/sh', '-c', 'true'],
      restoredEnv: { LD_PRELOAD: 'x.so' },
      isBridged: false,
      exitWhenFinished: true,
    });
    expect(readFileSync(join(sharedDir, 'seen'), 'utf8').trim()).toBe('preload=[]');
  });

  it('sets limits, labels, shared memory and mounts as asked', async () => {
    const host = makeDir();
    const missing = join(host, 'made', 'here:with colon');
    const mounts: Mount[] = [
      { kind: 'instance', instancePath: missing, path: '/data', optional: false },
      { kind: 'instance', instancePath: '/proc/cannot/be/made', path: '/nope', optional: true },
    ];
    const runtime = makeRuntime(
      'touch /data/file; touch /opt/dstack-agent/file 2>/run/dstack/job/denied; cat /proc/mounts > /run/dstack/job/mounts; sleep 60',
    );
    const job = containerJob(
      { limits: { cpus: 0.5, memoryBytes: 64 * 1024 * 1024 } },
      { mounts, shmBytes: 32 * 1024 * 1024 },
    );
    const { handle, sharedDir } = await launch(runtime, job);
    const {
      Config: config,
      HostConfig: hostConfig,
      Name: name,
    } = await docker.getContainer(handle.containerId).inspect();
    expect(config.Labels).toMatchObject({ 'ai.dstack.agent': agentId, 'ai.dstack.job': job.id });
    expect(name).toMatch(/^\/brave-fox-1-0-0-[0-9a-f]{8}$/);
    expect(hostConfig).toMatchObject({
      NanoCpus: 500_000_000,
      Memory: 64 * 1024 * 1024,
      ShmSize: 32 * 1024 * 1024,
      NetworkMode: 'host',
      Privileged: false,
      RestartPolicy: { Name: 'no' },
    });
    await until(
      () => existsSync(join(sharedDir, 'mounts')) && readFileSync(join(sharedDir, 'mounts'), 'utf8').includes('/data'),
    );
    expect(existsSync(join(missing, 'file'))).toBe(true);
    expect(statSync(missing).mode & 0o777).toBe(0o777);
    expect(readFileSync(join(sharedDir, 'denied'), 'utf8')).toContain('Read-only file system');
    const shm = readFileSync(join(sharedDir, 'mounts'), 'utf8')
      .split('\n')
      .filter((line) => line.includes(' /dev/shm '))
      .at(-1);
    expect(shm).toContain('size=32768k');
    expect(shm).not.toContain('noexec');
    expect(await scanLog(sharedDir)).toMatch(/at \/nope: .*ENOENT.*goes on without/);
  });

  it('kills at once, and removes with no trace; both may be repeated', async () => {
    const runtime = makeRuntime('trap "" TERM INT; sleep 1000');
    const { handle } = await launch(runtime, containerJob());
    expect(await runtime.isAlive(handle)).toBe(true);
    await runtime.kill(handle);
    expect((await runtime.waitGone(handle, soon())).message).toContain('status 137');
    await runtime.kill(handle);
    await runtime.cleanUp(handle, 'job');
    await runtime.cleanUp(handle, 'job');
    await runtime.kill(handle);
    expect((await runtime.waitGone(handle, soon())).message).toContain('removed');
  });

  it('a new agent adopts by handle: what runs is alive, what ended in its absence is noticed', async () => {
    const script = 'test -e /run/dstack/job/quick && exit 3; sleep 1000';
    const first = makeRuntime(script);
    const running = await launch(first, containerJob());
    const quickDir = makeDir();
    writeFileSync(join(quickDir, 'quick'), '');
    const ended = await launch(first, containerJob(), quickDir);
    await first.waitGone(ended.handle, soon());

    const second = makeRuntime(script);
    expect(await second.isAlive(running.handle)).toBe(true);
    expect(await second.isAlive(ended.handle)).toBe(false);
    expect((await second.waitGone(ended.handle, soon())).message).toContain('status 3');
  });

  it('follows a container over a break of the engine’s socket', async () => {
    const engine = await BreakableEngine.start(join(makeDir(), 'docker.sock'));
    try {
      const runtime = makeRuntime('sleep 1000', new Docker({ socketPath: engine.path }));
      const { handle } = await launch(runtime, containerJob());
      const gone = runtime.waitGone(handle, soon());
      await until(() => engine.connections > 0);
      await engine.stop();
      await docker.getContainer(handle.containerId).kill();
      await engine.listen();
      expect((await gone).message).toContain('status 137');
    } finally {
      await engine.stop();
    }
  });

  it('stops waiting when told to', async () => {
    const runtime = makeRuntime('sleep 1000');
    const { handle } = await launch(runtime, containerJob());
    const abort = new AbortController();
    const gone = runtime.waitGone(handle, abort.signal);
    abort.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    expect(await runtime.isAlive(handle)).toBe(true);
  });

  it('removes what a half-made launch of the same job left, and containers of jobs nobody knows', async () => {
    const runtime = makeRuntime('sleep 1000');
    const job = containerJob();
    const first = await launch(runtime, job);
    const second = await launch(runtime, job);
    expect(await runtime.isAlive(first.handle)).toBe(false);
    expect(await runtime.removeStrays(new Set([job.id]))).toEqual([]);
    expect(await runtime.removeStrays(new Set())).toEqual([second.handle.containerId]);
    expect(await runtime.isAlive(second.handle)).toBe(false);
  });

  it('publishes the SSH port of a bridged container on loopback', async () => {
    const runtime = makeRuntime('sleep 1000');
    const ssh = { authorizedKeys: [], listen: { host: '127.0.0.1', port: 10022 } };
    const { handle } = await launch(runtime, containerJob({ ssh }, { network: 'bridge' }));
    const port = await runtime.publishedSshPort(handle);
    expect(port).toBeGreaterThan(0);
    const { NetworkSettings: network } = await docker.getContainer(handle.containerId).inspect();
    expect(network.Ports['10022/tcp']).toEqual([{ HostIp: '127.0.0.1', HostPort: String(port) }]);
  });

  it('tells that the memory limit killed it', async () => {
    const runtime = makeRuntime('x=$(head -c 200000000 /dev/zero | tr "\\0" a); echo ${#x}');
    const { handle } = await launch(runtime, containerJob({ limits: { memoryBytes: 24 * 1024 * 1024 } }));
    expect((await runtime.waitGone(handle, soon())).message).toContain('raise `resources.memory`');
  });

  it('says in the registry’s words why an image cannot be pulled', async () => {
    const runtime = makeRuntime('true');
    const launched = launch(runtime, containerJob({}, { image: 'localhost:1/nobody/nothing:1' }));
    await expect(launched).rejects.toMatchObject({
      reason: 'creating_container_error',
      message: expect.stringMatching(
        /cannot pull image localhost:1\/nobody\/nothing:1: .*connection refused/,
      ) as string,
    });
  });

  it('goes on with the copy it has when the registry of a `latest` image is away, and says so', async () => {
    await docker.getImage(BUSYBOX_IMAGE).tag({ repo: 'localhost:1/mine', tag: 'latest' });
    try {
      const runtime = makeRuntime('exit 0');
      const { handle, sharedDir } = await launch(runtime, containerJob({}, { image: 'localhost:1/mine' }));
      await runtime.waitGone(handle, soon());
      expect(await scanLog(sharedDir)).toMatch(
        /registry cannot be reached, going on with the copy of localhost:1\/mine:latest/,
      );
    } finally {
      await docker.getImage('localhost:1/mine:latest').remove();
    }
  });

  it('explains a start the engine refuses, and leaves nothing behind', async () => {
    const runtime = makeRuntime('true');
    const mounts: Mount[] = [{ kind: 'instance', instancePath: '/tmp', path: '/run/dstack/job', optional: false }];
    const job = containerJob({}, { mounts });
    await expect(launch(runtime, job)).rejects.toMatchObject({
      reason: 'creating_container_error',
      message: expect.stringContaining('/run/dstack/job') as string,
    });
    expect(await docker.listContainers({ all: true, filters: { label: [`ai.dstack.job=${job.id}`] } })).toEqual([]);
  });
});

async function until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const due = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > due) throw new Error(`not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
