import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, latencyOf, type Latency } from '../api-client.js';
import type { BenchOptions, Measurement } from '../bench.js';
import { cpuOf, residentKb } from '../process-usage.js';
import { quantile } from '../spread.js';
import { HostWithServer } from './host-with-server.js';
import { followTicks, type Tick, tickCommand } from './tail-latency.js';

const MIB = 1024 ** 2;
const LINE = '0123456789abcdef'.repeat(6);
/** What is printed again and again: whole lines. */
const FILE_BYTES = Math.floor((8 * MIB) / (LINE.length + 1)) * (LINE.length + 1);
/** Paths on the host. */
const FILE = '/var/tmp/bench-flood';
const OVER = '/var/tmp/bench-over';
const LIMIT_MS = 5 * 60_000;

/** One job prints as fast as it can; beside it on the same host another prints little, and somebody follows it and asks the API. */
export async function throughSsh(totalMib: number, { say }: BenchOptions): Promise<Measurement[]> {
  const lab = await HostWithServer.start();
  try {
    await lab.host.run(`rm -f ${OVER}; yes ${LINE} | head -c ${FILE_BYTES} > ${FILE}; chmod 644 ${FILE}`);
    const times = Math.ceil((totalMib * MIB) / FILE_BYTES);
    const cat = `for i in $(seq ${times}); do cat ${FILE}; done`;
    const openSsh = await throughOpenSsh(lab, cat, times * FILE_BYTES);
    say(`OpenSSH: ${openSsh.toFixed(0)} MB/s`);
    await lab.submit('quiet', tickCommand(OVER));
    await logOf(lab, 'quiet');
    const ticks = followTicks(lab.stack.url, lab.stack.token, 'quiet');
    ticks.catch(() => undefined); // told where it is awaited
    const quiet = await watched(lab, () => sleep(3_000));
    const flood = await watched(lab, () => flooded(lab, cat, times));
    await lab.host.run(`touch ${OVER}`);
    const lateness = ({ from, until }: Watched<unknown>, all: readonly Tick[]): number =>
      quantile(
        all.filter(({ at }) => at >= from && at < until).map(({ late }) => late),
        0.99,
      );
    const all = await ticks;
    await checkStored(flood.result.file, times);
    const calm = 'without the flood';
    return [
      {
        name: 'from a job over SSH into the store',
        value: flood.result.speed,
        unit: 'MB/s',
        floor: { what: '`cat` through OpenSSH', value: openSsh },
        target: { atLeast: 40 },
      },
      { name: "the server's CPU for each MB", value: flood.cpuMs / flood.result.mb, unit: 'ms CPU' },
      {
        name: 'meanwhile, a line of another job until it is read, p99',
        value: lateness(flood, all),
        unit: 'ms',
        floor: { what: calm, value: lateness(quiet, all) },
        target: { atMost: 300 },
      },
      {
        name: 'meanwhile, an answer of the API, p99',
        value: flood.api.p99,
        unit: 'ms',
        floor: { what: calm, value: quiet.api.p99 },
      },
      {
        name: 'meanwhile, memory of the server, at most',
        value: flood.residentMb,
        unit: 'MB',
        floor: { what: calm, value: quiet.residentMb },
      },
    ];
  } finally {
    await lab.remove();
  }
}

/** MB/s of what a command on the host prints, through the `ssh` of this machine. */
async function throughOpenSsh({ host }: HostWithServer, command: string, bytes: number): Promise<number> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'IdentitiesOnly=yes'];
  const startedAt = performance.now();
  const child = spawn(
    'ssh',
    [...options.flatMap((option) => ['-o', option]), '-i', host.identityFile, `${host.user}@${host.address}`, command],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let received = 0;
  child.stdout.on('data', (chunk: Buffer) => (received += chunk.length));
  await once(child, 'close');
  if (received !== bytes) throw new Error(`ssh gave ${received} bytes of ${bytes}`);
  return bytes / 1e6 / ((performance.now() - startedAt) / 1000);
}

/** What a terminal makes of the file. */
const PRINTED = Buffer.from(`${LINE}\r\n`.repeat(FILE_BYTES / (LINE.length + 1)));

interface Flood {
  readonly file: string;
  readonly speed: number;
  readonly mb: number;
}

/** Until all that the job prints is stored. */
async function flooded(lab: HostWithServer, command: string, times: number): Promise<Flood> {
  await lab.submit('flood', command);
  const file = await logOf(lab, 'flood');
  const startedAt = performance.now();
  const startedWith = statSync(file).size;
  while (statSync(file).size < PRINTED.length * times) {
    if (performance.now() - startedAt > LIMIT_MS) throw new Error(`${statSync(file).size} bytes in ${LIMIT_MS} ms`);
    await sleep(20);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const mb = (PRINTED.length * times) / 1e6;
  return { file, speed: (mb - startedWith / 1e6) / seconds, mb };
}

/** Afterwards: it would keep this program from taking what comes meanwhile. */
async function checkStored(file: string, times: number): Promise<void> {
  const hash = createHash('sha256');
  for (let time = 0; time < times; time += 1) hash.update(PRINTED);
  if (hash.digest('hex') !== (await hashOf(file))) throw new Error('what is stored is not what the job printed');
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The file of the run's only job, once something is in it. */
async function logOf({ stack }: HostWithServer, run: string): Promise<string> {
  const folder = join(stack.serverDir, 'projects', 'main', 'logs', run);
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const [job] = existsSync(folder) ? readdirSync(folder) : [];
    const file = join(folder, job ?? '', 'job.log');
    if (job !== undefined && existsSync(file) && statSync(file).size > 0) return file;
    if (performance.now() > deadline) throw new Error(`${run} prints nothing`);
    await sleep(5);
  }
}

interface Watched<T> {
  readonly result: T;
  /** Unix ms. */
  readonly from: number;
  readonly until: number;
  readonly api: Latency;
  readonly residentMb: number;
  readonly cpuMs: number;
}

/** Meanwhile the API is asked again and again, and the server's memory is looked at. */
async function watched<T>({ stack }: HostWithServer, work: () => Promise<T>): Promise<Watched<T>> {
  const client = new ApiClient(stack.url, stack.token);
  const pid = stack.serverPid;
  const times: number[] = [];
  let residentMb = 0;
  let over = false;
  const asking = (async (): Promise<void> => {
    while (!over) {
      const startedAt = performance.now();
      await client.post('/api/project/main/runs/get', { run_name: 'quiet' });
      times.push(performance.now() - startedAt);
      residentMb = Math.max(residentMb, residentKb(pid) / 1024);
      await sleep(10);
    }
  })();
  const from = Date.now();
  const cpuBefore = cpuOf(pid).own;
  try {
    const result = await work();
    const cpuMs = cpuOf(pid).own - cpuBefore;
    over = true;
    await asking;
    return { result, from, until: Date.now(), api: latencyOf(times), residentMb, cpuMs };
  } finally {
    over = true;
    await asking.catch(() => undefined);
    client.close();
  }
}
