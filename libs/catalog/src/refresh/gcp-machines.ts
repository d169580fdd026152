import { z } from 'zod';
import type { CatalogGpu, CatalogType } from '../catalog-row.js';
import type { PriceSource } from './source-client.js';

const COMPUTE = 'https://compute.googleapis.com';

export interface ZoneType {
  readonly type: CatalogType;
  readonly zone: string;
}

const machineTypes = z.object({
  items: z.record(
    z.string(),
    z.object({
      machineTypes: z
        .array(
          z.object({
            name: z.string(),
            guestCpus: z.number(),
            memoryMb: z.number(),
            architecture: z.string().optional(),
            deprecated: z.object({ state: z.string().optional() }).optional(),
            accelerators: z
              .array(z.object({ guestAcceleratorType: z.string(), guestAcceleratorCount: z.number() }))
              .optional(),
          }),
        )
        .optional(),
    }),
  ),
  nextPageToken: z.string().optional(),
});
type MachineType = NonNullable<z.infer<typeof machineTypes>['items'][string]['machineTypes']>[number];

const acceleratorTypes = z.object({
  items: z.record(z.string(), z.object({ acceleratorTypes: z.array(z.object({ name: z.string() })).optional() })),
  nextPageToken: z.string().optional(),
});

/** The families that are offered. */
const OFFERED =
  /^(e2|n1|n2|n2d|c2|m1|t2a|c4|n4|a2|a3|a4|g2|g4)-(standard|highmem|highcpu|medium|highgpu|megagpu|ultragpu|ultramem|megamem)/;

const GPUS: Readonly<Record<string, Omit<CatalogGpu, 'count'>>> = {
  'nvidia-tesla-t4': nvidia('T4', 16),
  'nvidia-tesla-v100': nvidia('V100', 16),
  'nvidia-tesla-p100': nvidia('P100', 16),
  'nvidia-l4': nvidia('L4', 24),
  'nvidia-tesla-a100': nvidia('A100', 40),
  'nvidia-a100-80gb': nvidia('A100', 80),
  'nvidia-h100-80gb': nvidia('H100', 80),
  'nvidia-h100-mega-80gb': nvidia('H100', 80),
  'nvidia-h200-141gb': nvidia('H200', 141),
  'nvidia-b200': nvidia('B200', 180),
  'nvidia-rtx-pro-6000': nvidia('RTXPRO6000', 96),
};

/** N1 takes GPUs: how many, with how many processors and GB at most. */
const ADDED: readonly (readonly [string, number, number, number])[] = [
  ['nvidia-tesla-t4', 1, 48, 312],
  ['nvidia-tesla-t4', 2, 48, 312],
  ['nvidia-tesla-t4', 4, 96, 624],
  ['nvidia-tesla-v100', 1, 12, 78],
  ['nvidia-tesla-v100', 2, 24, 156],
  ['nvidia-tesla-v100', 4, 48, 312],
  ['nvidia-tesla-v100', 8, 96, 624],
  ['nvidia-tesla-p100', 1, 16, 104],
  ['nvidia-tesla-p100', 2, 32, 208],
  ['nvidia-tesla-p100', 4, 96, 624],
];

/** Which machines a project could have, zone by zone. */
export async function readGcpMachines(
  { source, computeUrl = COMPUTE }: { readonly source: PriceSource; readonly computeUrl?: string },
  project: string,
  token: string,
): Promise<ZoneType[]> {
  const path = `${computeUrl}/compute/v1/projects/${encodeURIComponent(project)}/aggregated`;
  const [machines, accelerators] = await Promise.all([
    pagesOf(source, `${path}/machineTypes`, token, machineTypes),
    pagesOf(source, `${path}/acceleratorTypes`, token, acceleratorTypes),
  ]);
  const addable = new Map<string, Set<string>>();
  for (const [zone, { acceleratorTypes: here = [] }] of accelerators) {
    const names = addable.get(zone) ?? new Set();
    addable.set(zone, names);
    for (const { name } of here) names.add(name);
  }
  return machines.flatMap(([zone, { machineTypes: here = [] }]) =>
    here
      .filter(({ name, deprecated }) => OFFERED.test(name) && deprecated === undefined)
      .flatMap((machine) => typesOf(machine, addable.get(zone) ?? new Set()).map((type) => ({ type, zone }))),
  );
}

/** By zone (`us-central1-a`). */
async function pagesOf<Item>(
  source: PriceSource,
  url: string,
  token: string,
  schema: z.ZodType<{ items: Record<string, Item>; nextPageToken?: string | undefined }>,
): Promise<(readonly [zone: string, item: Item])[]> {
  const found: (readonly [string, Item])[] = [];
  let next: string | undefined = '';
  while (next !== undefined) {
    const query: string = next === '' ? 'maxResults=500' : `maxResults=500&pageToken=${encodeURIComponent(next)}`;
    const reply = await source.json({ url: `${url}?${query}`, headers: { authorization: `Bearer ${token}` } }, schema);
    for (const [scope, item] of Object.entries(reply.items)) found.push([scope.replace(/^zones\//, ''), item]);
    next = reply.nextPageToken || undefined;
  }
  return found;
}

/** The machine as it is, and what it can be with GPUs. */
function typesOf(machine: MachineType, addable: ReadonlySet<string>): CatalogType[] {
  const { name, guestCpus: cpus, memoryMb, architecture, accelerators = [] } = machine;
  const [own] = accelerators;
  const known = own === undefined ? null : GPUS[own.guestAcceleratorType];
  if (own !== undefined && !known) return [];
  const flags = /^(a4|g4)-/.exec(name)?.[1];
  const type: CatalogType = {
    name,
    cpus,
    memoryMib: memoryMb,
    gpu: own === undefined || !known ? null : { ...known, count: own.guestAcceleratorCount },
    cpuArch: architecture === 'ARM64' || name.startsWith('t2a-') ? 'arm' : 'x86',
    diskGb: null,
    flags: flags === undefined ? [] : [`gcp-${flags}`],
  };
  if (!name.startsWith('n1-')) return [type];
  const withGpus = ADDED.flatMap(([accelerator, count, mostCpus, mostGb]): CatalogType[] => {
    const gpu = GPUS[accelerator];
    const fits = cpus <= mostCpus && memoryMb <= mostGb * 1024;
    return gpu !== undefined && fits && addable.has(accelerator) ? [{ ...type, gpu: { ...gpu, count } }] : [];
  });
  return [type, ...withGpus];
}

function nvidia(name: string, memoryGb: number): Omit<CatalogGpu, 'count'> {
  return { vendor: 'nvidia', name, memoryMib: memoryGb * 1024 };
}
