import { isInNetwork, isPrivateAddress } from '../configuration/fields/private-address.js';
import { divideIntoBlocks } from '../offers/blocks.js';
import { normaliseGpuName, snapGpuMemoryGb } from '../offers/gpu-name.js';
import type { Offer } from '../offers/offer.js';
import type * as Wire from '../wire/generated/api.js';
import type { SshHost } from './ssh-hosts.js';

/** What the agent of a host tells of it. */
export interface FoundHost {
  readonly arch: Wire.CPUArchitecture;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskFreeBytes: number;
  readonly gpus: readonly { readonly vendor: string; readonly name: string; readonly memoryMib: number }[];
  /** CIDR, without loopback. */
  readonly addresses: readonly string[];
}

export type HostOffer =
  | { readonly ok: true; readonly offer: Offer; readonly blocks: number; readonly internalIp: string | null }
  | { readonly ok: false; readonly problem: string };

const MIB = 1024 ** 2;

/** A host as something jobs can be placed on; free of charge, in the region `remote`, as clients know it. */
export function hostOffer(host: Pick<SshHost, 'blocks' | 'internalIp' | 'network'>, found: FoundHost): HostOffer {
  const resources = hostResources(found);
  const division = divideIntoBlocks(resources, host.blocks);
  if (!division.ok) return { ok: false, problem: `Cannot split into blocks: ${division.text}` };
  const address = internalAddress(host, found.addresses);
  if (!address.ok) return address;
  return {
    ok: true,
    blocks: division.blocks,
    internalIp: address.ip,
    offer: {
      backend: 'remote',
      instance: { name: 'instance', resources },
      region: 'remote',
      price: 0,
      availability: 'available',
      availability_zones: null,
      instance_runtime: 'shim',
      blocks: division.blocks,
      total_blocks: division.blocks,
    },
  };
}

function hostResources(found: FoundHost): Wire.Resources {
  return {
    cpus: found.cpus,
    memory_mib: Math.floor(found.memoryBytes / MIB),
    gpus: found.gpus.map(({ vendor, name: product, memoryMib }) => {
      const name = normaliseGpuName(product);
      return { vendor: vendor as Wire.AcceleratorVendor, name, memory_mib: snapGpuMemoryGb(name, memoryMib) * 1024 }; // the agent knows the contract's vendors
    }),
    spot: false,
    disk: { size_mib: Math.floor(found.diskFreeBytes / MIB) },
    cpu_arch: found.arch,
    description: '',
  };
}

type Address = { readonly ok: true; readonly ip: string | null } | { readonly ok: false; readonly problem: string };

/** Where the other nodes of a cluster reach the host. */
function internalAddress(
  { internalIp, network }: Pick<SshHost, 'internalIp' | 'network'>,
  addresses: readonly string[],
): Address {
  const own = addresses.map((cidr) => cidr.split('/')[0] ?? '');
  const list = own.length === 0 ? 'none' : own.join(', ');
  if (internalIp !== null) {
    if (own.includes(internalIp)) return { ok: true, ip: internalIp };
    return { ok: false, problem: `internal_ip ${internalIp} is on no interface of the host; it has ${list}` };
  }
  if (network === null) return { ok: true, ip: own.find((ip) => isPrivateAddress(ip) && !ip.includes(':')) ?? null };
  const ip = own.find((each) => isInNetwork(each, network));
  if (ip !== undefined) return { ok: true, ip };
  return { ok: false, problem: `no interface of the host is in network ${network}; it has ${list}` };
}
