/** What an agent says about itself and its host: `GET /v1/info`. */
export interface AgentInfo {
  readonly service: 'dstack-agent';
  readonly version: string;
  readonly protocol: { readonly min: number; readonly max: number };
  /** Stable over restarts of the agent (kept in its state directory). */
  readonly agentId: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly host: HostFacts;
  readonly runtimes: { readonly process: RuntimeFact; readonly container: RuntimeFact };
}

export interface RuntimeFact {
  readonly available: boolean;
  /** Version of the engine, or why there is none. */
  readonly detail: string;
}

export type GpuVendor = 'nvidia' | 'amd' | 'intel' | 'tenstorrent' | 'google';

export interface GpuFact {
  readonly vendor: GpuVendor;
  /** Product name as the vendor's tool prints it. */
  readonly name: string;
  readonly memoryMib: number;
  /** What pins the device: UUID (NVIDIA), render node (AMD), index (others). */
  readonly lockId: string;
  readonly driverVersion?: string;
}

export interface HostFacts {
  readonly arch: 'x86' | 'arm';
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Free bytes where job data (or the engine's images) go. */
  readonly diskFreeBytes: number;
  readonly gpus: readonly GpuFact[];
  /** CIDR strings, non-loopback. */
  readonly addresses: readonly string[];
  readonly hostname: string;
}
