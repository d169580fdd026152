import type { AcceleratorVendor } from '../wire/enums.js';

/** An accelerator users can name. Memory per device in GB as advertised; several sizes may share one name. */
export interface KnownAccelerator {
  readonly name: string;
  readonly vendor: AcceleratorVendor;
  readonly memoryGb: readonly number[];
  /** CUDA compute capability, NVIDIA only. */
  readonly computeCapability?: readonly [major: number, minor: number];
}

type Row = readonly [name: string, ...memoryGb: number[]];

function nvidia(major: number, minor: number, rows: readonly Row[]): KnownAccelerator[] {
  return rows.map(([name, ...memoryGb]) => ({ name, vendor: 'nvidia', memoryGb, computeCapability: [major, minor] }));
}

function other(vendor: AcceleratorVendor, rows: readonly Row[]): KnownAccelerator[] {
  return rows.map(([name, ...memoryGb]) => ({ name, vendor, memoryGb }));
}

export const KNOWN_ACCELERATORS: readonly KnownAccelerator[] = [
  ...nvidia(12, 0, [
    ['RTX5060', 8],
    ['RTX5060Ti', 8, 16],
    ['RTX5070', 12],
    ['RTX5070Ti', 16],
    ['RTX5080', 16],
    ['RTX5090', 32],
    ['RTXPRO4500', 32],
    ['RTXPRO6000', 96],
  ]),
  ...nvidia(10, 3, [['GB300', 278]]),
  ...nvidia(10, 0, [
    ['B200', 180],
    ['GB200', 186],
    ['B300', 270],
  ]),
  ...nvidia(9, 0, [
    ['H100', 80],
    ['H100NVL', 94],
    ['H200', 141],
    ['H200NVL', 141],
    ['GH200', 96],
  ]),
  ...nvidia(8, 9, [
    ['L4', 24],
    ['L40', 48],
    ['L40S', 48],
    ['RTX4060', 8],
    ['RTX4060Ti', 8, 16],
    ['RTX4070', 12],
    ['RTX4070SUPER', 12],
    ['RTX4070Ti', 12],
    ['RTX4070TiSUPER', 16],
    ['RTX4080', 16],
    ['RTX4080SUPER', 16],
    ['RTX4090', 24],
    ['RTX2000Ada', 16],
    ['RTX4000Ada', 20],
    ['RTX4500Ada', 24],
    ['RTX5000Ada', 32],
    ['RTX6000Ada', 48],
  ]),
  ...nvidia(8, 6, [
    ['A2', 16],
    ['A10', 24],
    ['A10G', 24],
    ['A16', 16],
    ['A40', 48],
    ['A2000', 6, 12],
    ['A4000', 16],
    ['A4500', 20],
    ['A5000', 24],
    ['A6000', 48],
    ['RTX3050', 6, 8],
    ['RTX3060', 8, 12],
    ['RTX3060Ti', 8],
    ['RTX3070', 8],
    ['RTX3070Ti', 8],
    ['RTX3080', 10, 12],
    ['RTX3080Ti', 12],
    ['RTX3090', 24],
    ['RTX3090Ti', 24],
  ]),
  ...nvidia(8, 0, [
    ['A100', 40, 80],
    ['A100X', 80],
    ['A30', 24],
    ['A800PCIE', 80],
  ]),
  ...nvidia(7, 5, [
    ['T4', 16],
    ['T4g', 16],
    ['RTX6000', 24],
    ['QRTX8000', 48],
    ['RTX2060', 6, 12],
    ['RTX2060SUPER', 8],
    ['RTX2070', 8],
    ['RTX2070SUPER', 8],
    ['RTX2080', 8],
    ['RTX2080SUPER', 8],
    ['RTX2080Ti', 11],
  ]),
  ...nvidia(7, 0, [['V100', 16, 32]]),
  ...nvidia(6, 1, [
    ['P4', 8],
    ['P40', 24],
  ]),
  ...nvidia(6, 0, [['P100', 16]]),
  ...nvidia(5, 2, [['M60', 8]]),
  ...nvidia(3, 7, [['K80', 12]]),
  ...other('amd', [
    ['MI25', 16],
    ['RadeonProV520', 8],
    ['MI100', 32],
    ['MI210', 64],
    ['MI250', 128],
    ['MI250X', 128],
    ['MI300A', 128],
    ['MI300X', 192],
    ['MI308X', 128],
    ['MI325X', 288],
    ['MI350X', 288],
    ['MI355X', 288],
    ['RX7900XTX', 24],
  ]),
  ...other('intel', [
    ['Gaudi', 32],
    ['Gaudi2', 96],
    ['Gaudi3', 128],
  ]),
  ...other('tenstorrent', [
    ['n150', 12],
    ['n300', 24],
    ['p100a', 28],
    ['p150', 32],
    ['p300', 32, 64],
    ['tt-galaxy-wh', 12],
    ['tt-galaxy-bh', 32],
  ]),
];

const BY_NAME: ReadonlyMap<string, KnownAccelerator> = new Map(
  KNOWN_ACCELERATORS.map((a) => [a.name.toLowerCase(), a]),
);

/** Case-insensitive; TPU slices (`v5litepod-8`) are known by their version. */
export function knownAccelerator(name: string): KnownAccelerator | undefined {
  const known = BY_NAME.get(name.toLowerCase());
  if (known) return known;
  return isTpuName(name) ? { name, vendor: 'google', memoryGb: [0] } : undefined;
}

const TPU_NAME = /^(v2|v3|v4|v5p|v5litepod|v6e)-(\d+)$/i;

export function isTpuName(name: string): boolean {
  return TPU_NAME.test(name);
}

/** Only slices of one host can run a job: v4 has none, elsewhere up to 8 cores. */
export function isSingleHostTpu(name: string): boolean {
  const [, version, cores] = TPU_NAME.exec(name) ?? [];
  return version !== undefined && version.toLowerCase() !== 'v4' && Number(cores) <= 8;
}

export function acceleratorNames(): readonly string[] {
  return KNOWN_ACCELERATORS.map((accelerator) => accelerator.name);
}
