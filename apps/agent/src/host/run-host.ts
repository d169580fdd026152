import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join, resolve } from 'node:path';
import { JobCgroups } from '../cgroup/job-cgroups.js';
import { ContainerEngine } from '../docker/container-engine.js';
import { HostDoors } from '../doors/host-doors.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { detectGpus } from '../gpu/detect-gpus.js';
import type { GpuInventory } from '../gpu/discover-gpus.js';
import { GpuLock } from '../gpu/gpu-lock.js';
import { hostProbe } from '../gpu/host-probe.js';
import { measureGpus } from '../gpu/measure-gpus.js';
import { visibleGpus } from '../gpu/visible-gpus.js';
import { HealthCollector } from '../health/collect-health.js';
import { HealthMonitor } from '../health/health-monitor.js';
import { measureDisks } from '../health/measure-disks.js';
import { untilSignalled } from '../process/until-signalled.js';
import { AgentHttpServer } from '../protocol/agent-http-server.js';
import { EpochGate } from '../protocol/epoch-gate.js';
import { selfCommand } from '../self-command.js';
import { AGENT_PID_FILE, takeAgentPid } from './agent-pid.js';
import { HostAgent } from './host-agent.js';
import { readRecords } from './job-record.js';
import { DEFAULT_JOB_UIDS, parseUidRange, pickUid } from './job-uids.js';
import { powerOff } from './power-off.js';
import { PowerOffWatch } from './power-off-watch.js';
import { ProcessRuntime } from './process-runtime.js';
import { readUptime } from './uptime.js';

export interface HostArguments {
  readonly dir: string;
  readonly workDir: string | undefined;
  readonly jobUids: string | undefined;
  readonly folder: string | undefined;
  /** Who may open the socket, beside root. */
  readonly socketUser: string | undefined;
}

/** Where a root agent puts the directories of process jobs: their users could not pass through a directory closed to others. */
const ROOT_WORK_PARENT = '/var/lib/dstack-jobs';

export async function runHost(args: HostArguments): Promise<number> {
  const dir = resolve(args.dir);
  const stateDir = join(dir, 'state');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await mkdir(join(dir, 'jobs'), { recursive: true, mode: 0o700 });
  await chmod(join(dir, 'jobs'), 0o700);
  await takeAgentPid(dir);
  const agentId = await keep(join(stateDir, 'agent-id'), () => randomUUID());
  const generation = Number((await read(join(stateDir, 'generation'))) ?? 0) + 1;
  await writeFileAtomically(join(stateDir, 'generation'), String(generation));

  const isRoot = process.getuid?.() === 0;
  const workRoot = resolve(args.workDir ?? (isRoot ? join(ROOT_WORK_PARENT, agentId) : join(dir, 'work')));
  await mkdir(workRoot, { recursive: true, mode: 0o711 });
  const uids = args.jobUids === undefined ? DEFAULT_JOB_UIDS : parseUidRange(args.jobUids);
  const records = await readRecords(dir);
  const adopted = records.flatMap(({ handle }) => (handle?.kind === 'process' ? (handle.uid ?? []) : []));
  const given = new Set(adopted);
  const host: { agent?: HostAgent } = {};
  const takeUid = (jobId: string): number | undefined => {
    const inUse = host.agent?.uidsInUse() ?? new Set(adopted);
    // One given a moment ago is not in its job's record yet; only a range used up gives them out again.
    const uid = pickUid(uids, new Set([...given, ...inUse]), jobId) ?? pickUid(uids, inUse, jobId);
    if (uid !== undefined) given.add(uid);
    return uid;
  };
  const inventory = await detectGpus();
  const { gpus } = inventory;
  const cgroups = await JobCgroups.open(agentId);
  const processRuntime = new ProcessRuntime({
    command: selfCommand(),
    workRoot,
    takeUid: isRoot ? takeUid : undefined,
    cgroups,
    gpuEnv: (gpuIds) => gpuEnvironment(inventory, gpuIds),
    now: Date.now,
  });
  await cgroups?.prune(new Set(records.map(({ job }) => job.id)), Date.now());
  const engine = new ContainerEngine({
    agentId,
    folder: args.folder ?? process.env['DSTACK_AGENT_FOLDER'],
    gpuVendor: inventory.vendor,
    now: Date.now,
    env: process.env,
  });
  const collector = new HealthCollector({
    inventory,
    probe: hostProbe,
    disks: () => measureDisks([dir, workRoot, '/var/lib/docker']),
    engine: () => engine.fact(),
    uptimeSeconds: uptime,
  });
  const health = new HealthMonitor(() => collector.collect(), Date.now);
  const agent = await HostAgent.open({
    dir,
    agentId,
    generation,
    now: Date.now,
    gpus,
    gpuLock: new GpuLock(gpus),
    doors: new HostDoors(),
    measureGpus: () => measureGpus(inventory),
    health: () => health.current(),
    processRuntime,
    containerRuntime: () => engine.runtime(),
    containerFact: () => engine.fact(),
  });
  host.agent = agent;
  const watch = await PowerOffWatch.open({
    path: join(stateDir, 'power-off.json'),
    uptime: readUptime,
    isBusy: () => agent.jobs().some(({ phase }) => phase !== 'finished'),
    powerOff: () => powerOff(process.env),
    log: (text) => process.stderr.write(`${text}\n`),
  });
  const server = new AgentHttpServer({
    service: agent,
    watch,
    gate: await EpochGate.open(join(stateDir, 'epoch')),
    now: Date.now,
  });
  const socketPath = join(dir, 'agent.sock');
  await server.listen(socketPath);
  if (args.socketUser !== undefined) await giveSocket(dir, socketPath, args.socketUser);
  await untilSignalled();
  watch.stop();
  agent.detach();
  await server.close();
  await rm(join(dir, AGENT_PID_FILE), { force: true });
  return 0;
}

function gpuEnvironment({ vendor, lockIdByToolIndex }: GpuInventory, gpuIds: readonly string[]) {
  const indexes = new Map([...lockIdByToolIndex].map(([index, lockId]) => [lockId, index]));
  return visibleGpus(vendor, gpuIds, (lockId) => indexes.get(lockId));
}

/** The user can pass through the directory, and open nothing in it but the socket. */
async function giveSocket(dir: string, socketPath: string, user: string): Promise<void> {
  if (!/^\d+$/.test(user)) throw new Error(`--socket-user must be the number of a user, not ${user}`);
  await chmod(dir, 0o711);
  await chown(socketPath, Number(user), -1);
}

async function keep(path: string, make: () => string): Promise<string> {
  const known = await read(path);
  if (known !== undefined) return known;
  const made = make();
  await writeFileAtomically(path, made);
  return made;
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text.trim() || undefined,
    () => undefined,
  );
}
