import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import os from 'node:os';
import { promisify } from 'node:util';
import { normaliseGpuName, snapGpuMemoryGb, type Wire } from '@dstack/core';

/** What the machine has; given to the backend so that tests can have other machines. */
export interface LocalMachine {
  readonly hostname: string;
  readonly cpus: number;
  readonly cpuArch: Wire.CPUArchitecture;
  readonly memoryMib: number;
  readonly gpus: readonly Wire.Gpu[];
  /** A container engine may answer there. */
  readonly dockerSocket: string | null;
}

export async function readLocalMachine(): Promise<LocalMachine> {
  // A server in a container or a slice has less than the hardware.
  const limit = process.constrainedMemory();
  const memoryBytes = limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
  return {
    hostname: os.hostname(),
    cpus: os.availableParallelism(),
    cpuArch: os.arch() === 'arm64' ? 'arm' : 'x86',
    memoryMib: Math.floor(memoryBytes / 1024 / 1024),
    gpus: await nvidiaGpus(),
    dockerSocket: await existing(process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'),
  };
}

const run = promisify(execFile);

async function nvidiaGpus(): Promise<Wire.Gpu[]> {
  try {
    const { stdout } = await run('nvidia-smi', ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'], {
      timeout: 10_000,
    });
    return parseNvidiaSmi(stdout);
  } catch {
    // No driver, no GPUs: most machines.
    return [];
  }
}

/** Lines of `NVIDIA H100 80GB HBM3, 81559`. */
export function parseNvidiaSmi(csv: string): Wire.Gpu[] {
  return csv
    .split('\n')
    .map((line) => /^(.+),\s*(\d+)\s*$/.exec(line.trim()))
    .filter((match) => match !== null)
    .map(([, product = '', mib = '0']) => {
      const name = normaliseGpuName(product);
      return { name, memory_mib: snapGpuMemoryGb(name, Number(mib)) * 1024, vendor: 'nvidia' };
    });
}

async function existing(path: string): Promise<string | null> {
  return access(path).then(
    () => path,
    () => null,
  );
}
