import { statfs } from 'node:fs/promises';
import * as os from 'node:os';
import type { GpuFact, HostFacts } from '@dstack/agent-protocol';

export async function collectHostFacts(dataDir: string, gpus: readonly GpuFact[]): Promise<HostFacts> {
  const disk = await statfs(dataDir);
  return {
    arch: os.arch() === 'arm64' ? 'arm' : 'x86',
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    diskFreeBytes: disk.bavail * disk.bsize,
    gpus,
    addresses: listAddresses(os.networkInterfaces()),
    hostname: os.hostname(),
  };
}

export function listAddresses(interfaces: NodeJS.Dict<os.NetworkInterfaceInfo[]>): string[] {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .flatMap((address) => (address.internal || address.cidr === null ? [] : [address.cidr]));
}
