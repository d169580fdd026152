import { knownAccelerator } from '@dstack/core';
import type { CatalogGpu, CatalogRow, CatalogType } from '../src/index.js';
import { type CloudReader, type ReadCloud, readCloud, type Reading } from '../src/refresh/index.js';
import { priceList, replayed, type Reply } from './support/replayed.js';

const OLD = { source: 'an earlier list', date: '2025', isExact: true };

function type(name: string, cpus: number, memoryGb: number, gpu: CatalogGpu | null = null): CatalogType {
  return { name, cpus, memoryMib: memoryGb * 1024, gpu, cpuArch: 'x86', diskGb: null, flags: [] };
}

function nvidia(name: string, count: number, gb: number): CatalogGpu {
  return { vendor: 'nvidia', name, count, memoryMib: gb * 1024 };
}

function row(of: CatalogType, location: string, price: number, isSpot = false): CatalogRow {
  return { type: of, location, price, isSpot, source: OLD };
}

async function read(
  cloud: ReadCloud,
  replies: Readonly<Record<string, Reply>>,
  rest: Partial<CloudReader> = {},
): Promise<{ readonly reading: Reading; readonly asked: readonly string[] }> {
  const { source, asked } = replayed(replies);
  const base = { source, current: [], accounts: {}, urls: {}, awsRegions: null };
  const reading = await readCloud(cloud, { ...base, now: () => Date.parse('2026-11-30T00:00:00Z'), ...rest });
  const gpus = reading.rows.flatMap(({ type: { gpu } }) => gpu ?? []);
  expect(gpus.filter(({ name, vendor }) => knownAccelerator(name)?.vendor !== vendor)).toEqual([]);
  return { reading, asked };
}

/** `m5.large us-east-1 0.096`, and `spot` */
function prices({ rows }: Pick<Reading, 'rows'>): string[] {
  return rows
    .map(({ type: { name, gpu }, location, price, isSpot }) =>
      [name, ...(gpu === null ? [] : [`${gpu.count}x${gpu.name}`]), location, price, ...(isSpot ? ['spot'] : [])].join(
        ' ',
      ),
    )
    .sort();
}

describe("AWS's price list", () => {
  const g6 = row(type('g6.xlarge', 4, 16, nvidia('L4', 1, 24)), 'eu-north-1', 0.9);
  const p5 = row(type('p5.48xlarge', 192, 2048, nvidia('H100', 8, 80)), 'us-east-1', 98);
  const p5Spot = row(p5.type, 'us-east-1', 30, true);
  const LISTS = {
    'region_index.json': priceList('aws/region_index.json'),
    'us-east-1/index.csv': priceList('aws/us-east-1.csv'),
    'eu-north-1/index.csv': priceList('aws/eu-north-1.csv'),
    'spot-advisor-data.json': priceList('aws/spot-advisor-data.json'),
  };

  it('is read for machines with Linux that run as long as one wants, and no others', async () => {
    const { reading } = await read('aws', LISTS, { current: [g6, p5] });
    expect(prices({ rows: reading.rows.filter(({ isSpot }) => !isSpot) })).toEqual([
      'g6.48xlarge 8xL4 us-east-1 13.3504',
      'g6.xlarge 1xL4 eu-north-1 0.901',
      'g6.xlarge 1xL4 us-east-1 0.8048',
      'm5.large eu-north-1 0.102',
      'm5.large us-east-1 0.096',
      'm7g.large us-east-1 0.0816',
      'p5.48xlarge 8xH100 us-east-1 55.04',
    ]);
    expect(reading.rows.find(({ type: { name } }) => name === 'm7g.large')?.type.cpuArch).toBe('arm');
    expect(reading.rows[0]?.source).toEqual({ source: 'AWS Price List', date: '2026-11-27', isExact: true });
  });

  it('names types whose GPUs nobody knows, and an account that does is asked', async () => {
    const { reading } = await read('aws', LISTS, { current: [g6, p5] });
    expect(reading.remarks).toEqual([
      'nobody knows the GPUs (which needs an account that may describe instance types) of p9.48xlarge',
    ]);
    const account = {
      gpus: async (_region: string, types: readonly string[]) =>
        new Map(types.map((each) => [each, nvidia('B300', 8, 270)])),
      spotPrices: async (region: string) => (region === 'us-east-1' ? new Map([['p5.48xlarge', 21.5]]) : null),
    };
    const told = await read('aws', LISTS, { current: [g6, p5, p5Spot], accounts: { aws: account } });
    expect(told.reading.remarks).toEqual([]);
    expect(prices(told.reading)).toContain('p9.48xlarge 8xB300 us-east-1 98.7');
    expect(prices({ rows: told.reading.rows.filter(({ isSpot }) => isSpot) })).toEqual([
      'p5.48xlarge 8xH100 us-east-1 21.5 spot',
    ]);
    expect(told.reading.covers(p5Spot)).toBe(true);
  });

  it('gives spot prices by the advised savings, but for those that were told', async () => {
    const { reading } = await read('aws', LISTS, { current: [g6, p5, p5Spot] });
    const spot = reading.rows.filter(({ isSpot }) => isSpot);
    expect(prices({ rows: spot })).toEqual([
      'g6.xlarge 1xL4 us-east-1 0.36216 spot',
      'm5.large eu-north-1 0.0306 spot',
      'm5.large us-east-1 0.0384 spot',
    ]);
    expect(spot[0]?.source).toMatchObject({ isExact: false, note: 'on-demand price less the advised saving' });
    expect(reading.covers(p5Spot)).toBe(false);
  });

  it('of a region that fails keeps what was known there', async () => {
    const { 'eu-north-1/index.csv': _gone, ...rest } = LISTS;
    const { reading } = await read('aws', rest, { current: [g6, p5] });
    expect(reading.failed.map(({ place }) => place)).toEqual(['eu-north-1']);
    expect(reading.failed[0]?.error).toContain('eu-north-1/index.csv: the reply is 404 Not Found');
    expect(reading.covers(g6)).toBe(false);
    expect(reading.covers(p5)).toBe(true);
  });

  it('is read of the wanted regions only, never of wavelength zones', async () => {
    const one = await read('aws', LISTS, { current: [g6], awsRegions: ['eu-north-1'] });
    const { asked } = await read('aws', LISTS, { current: [g6] });
    expect(one.asked.filter((url) => url.endsWith('.csv'))).toHaveLength(1);
    expect(asked.filter((url) => url.includes('-wl1-'))).toEqual([]);
  });

  it.each([
    ['without a column', '"Region Code"', '"Region"', 'line 6, "Region Code": the list has no such column'],
    [
      'with a line that is cut',
      ',"OnDemand","us-east-1","Amazon Elastic Compute Cloud"',
      '',
      'line 7: 35 fields instead of 38',
    ],
    ['with a price that is none', '"0.0960000000"', '"free"', 'line 7, "PricePerUnit": is no number above 0'],
    ['without a date', '"Publication Date"', '"Published"', 'Publication Date: the list does not say when'],
  ])('%s fails for its region, naming where', async (_what, from, to, message) => {
    const csv = priceList('aws/us-east-1.csv').replace(from, to);
    const { reading } = await read('aws', { ...LISTS, 'us-east-1/index.csv': csv }, { current: [g6] });
    expect(reading.failed[0]?.error).toContain(`us-east-1/index.csv, ${message}`);
  });
});

describe("Azure's retail prices", () => {
  const d2 = type('Standard_D2s_v3', 2, 8);
  const nc24 = type('Standard_NC24ads_A100_v4', 24, 220, nvidia('A100', 1, 80));
  const LISTS = {
    "armSkuName+eq+'Standard_D2s_v3'": priceList('azure/regions.json'),
    "armRegionName+eq+'westeurope'": priceList('azure/westeurope-1.json'),
    skip: priceList('azure/westeurope-2.json'),
    "armRegionName+eq+'northeurope'": priceList('azure/northeurope.json'),
  };

  it('are read page by page, for Linux on a machine of its own', async () => {
    const { reading } = await read('azure', LISTS, {
      current: [row(d2, 'westeurope', 0.1), row(nc24, 'westeurope', 4)],
    });
    expect(prices(reading)).toEqual([
      'Standard_D2s_v3 northeurope 0.11',
      'Standard_D2s_v3 westeurope 0.04 spot',
      'Standard_D2s_v3 westeurope 0.12',
      'Standard_NC24ads_A100_v4 1xA100 westeurope 4.775',
    ]);
  });

  it('of a region with a page that fails are not taken at all', async () => {
    const { skip: _page, ...rest } = LISTS;
    const current = [row(d2, 'westeurope', 0.1), row(nc24, 'westeurope', 4)];
    const { reading } = await read('azure', rest, { current });
    expect(prices(reading)).toEqual(['Standard_D2s_v3 northeurope 0.11']);
    expect(current.map(reading.covers)).toEqual([false, false]);
    expect(reading.failed).toHaveLength(1);
  });

  it('end where a page names itself as the next one', async () => {
    const { reading } = await read(
      'azure',
      { ...LISTS, skip: priceList('azure/westeurope-1.json') },
      { current: [row(d2, 'westeurope', 0.1)] },
    );
    expect(reading.failed[0]?.error).toContain('NextPageLink: the page names itself');
  });

  it('with a subscription are of more sizes, which its SKUs describe', async () => {
    const { reading, asked } = await read(
      'azure',
      { ...LISTS, '/subscriptions/': priceList('azure/skus.json') },
      { current: [row(d2, 'westeurope', 0.1)], accounts: { azure: { subscription: 's-1', token: 't' } } },
    );
    expect(asked[0]).toContain('/subscriptions/s-1/providers/Microsoft.Compute/skus?api-version=');
    expect(prices(reading)).toContain('Standard_ND96isr_H100_v5 8xH100 westeurope 128');
    expect(reading.remarks).toEqual(['too little is known of 1 sizes: Standard_NC99_New_v7']);
  });
});

describe("Google's billing catalog", () => {
  const LISTS = {
    'pageToken=AIxuFxM': priceList('gcp/skus-2.json'),
    '/skus': priceList('gcp/skus-1.json'),
    'pageToken=p2': priceList('gcp/machine-types-2.json'),
    machineTypes: priceList('gcp/machine-types-1.json'),
    acceleratorTypes: priceList('gcp/accelerator-types.json'),
  };
  const key = { accounts: { gcp: { key: { apiKey: 'k' }, project: null } } };

  it.each<[string, CatalogType, number | null, number | null]>([
    ['cores and memory', type('n1-standard-8', 8, 30), 0.379998, 0.078654],
    ['GPUs that are added', type('n1-standard-8', 8, 30, nvidia('T4', 2, 16)), 1.079998, 0.358654],
    ['GPUs that are part of it', type('a2-highgpu-1g', 12, 85, nvidia('A100', 1, 40)), 3.673385, null],
    ['GPUs and local disks', type('a2-ultragpu-1g', 12, 170, nvidia('A100', 1, 80)), 5.069288, null],
    ['many disks', type('a3-highgpu-8g', 208, 1872, nvidia('H100', 8, 80)), 90.0, null],
    ['sizes that are spot alone', type('a3-highgpu-1g', 26, 234, nvidia('H100', 1, 80)), null, null],
    ['a slice of everything', type('a4-highgpu-8g', 224, 3968, nvidia('B200', 8, 180)), null, 39.6336],
    ['chips of v5e', type('v5litepod-8', 224, 384, { ...nvidia('v5litepod-8', 1, 128), vendor: 'google' }), 9.6, null],
    [
      'chips of v5p, named by cores',
      type('v5p-8', 208, 448, { ...nvidia('v5p-8', 1, 380), vendor: 'google' }),
      16.8,
      null,
    ],
    ['a family with words for a name', type('c2-standard-4', 4, 16), 0.208808, null],
    ['a family with its maker', type('n2d-standard-2', 2, 8), 0.084492, null],
    ['part of a core', type('e2-medium', 2, 4), 0.033506, null],
    ['nothing that the list has', type('c9-standard-4', 4, 16), null, null],
  ])('prices %s', async (_what, machine, onDemand, spot) => {
    const { reading } = await read('gcp', LISTS, { ...key, current: [row(machine, 'us-central1-a', 1)] });
    const of = (isSpot: boolean) => reading.rows.find((each) => each.isSpot === isSpot)?.price ?? null;
    if (onDemand === 90)
      expect(of(false)).toBeCloseTo(208 * 0.029563 + 1872 * 0.002575 + 8 * 9.79655 + (6000 * 0.08) / 730, 4);
    else expect({ onDemand: of(false), spot: of(true) }).toEqual({ onDemand, spot });
  });

  it('without a project prices the machines of the catalog, and takes none of them away', async () => {
    const known = row(type('c9-standard-4', 4, 16), 'us-central1-a', 1);
    const { reading, asked } = await read('gcp', LISTS, { ...key, current: [known] });
    expect(reading.covers(known)).toBe(false);
    expect(reading.remarks).toEqual([
      'no project is named: machine types and zones are those of the catalog',
      'no price for all of, which therefore keep what they had: c9-standard',
    ]);
    expect(asked).toHaveLength(2);
    expect(asked.join()).not.toContain('key=');
  });

  it('with a project says which machines are in which zones', async () => {
    const gone = row(type('n1-standard-8', 8, 30, nvidia('T4', 1, 16)), 'us-central1-c', 1);
    const { reading } = await read('gcp', LISTS, {
      current: [gone],
      accounts: { gcp: { key: { token: 't' }, project: 'p' } },
    });
    expect(prices({ rows: reading.rows.filter(({ isSpot }) => !isSpot) })).toEqual([
      'a2-highgpu-1g 1xA100 us-central1-a 3.673385',
      'c2-standard-4 us-central1-a 0.208808',
      'n1-standard-8 1xT4 us-central1-a 0.729998',
      'n1-standard-8 2xT4 us-central1-a 1.079998',
      'n1-standard-8 4xT4 us-central1-a 1.779998',
      'n1-standard-8 us-central1-a 0.379998',
      'n1-standard-8 us-central1-c 0.379998',
    ]);
    expect(prices({ rows: reading.rows.filter(({ isSpot }) => isSpot) })).toContain(
      'a4-highgpu-8g 8xB200 us-central1-c 39.6336 spot',
    );
    expect(reading.covers(gone)).toBe(true);
  });

  it('is not read without a key', async () => {
    await expect(read('gcp', LISTS)).rejects.toThrow('told to those with an API key or a token only');
  });
});

describe("Oracle's price list", () => {
  const LISTS = { 'cetools/api': priceList('oci/products.json'), 'shapes.json': priceList('oci/shapes.json') };
  const flex = type('VM.Standard.E4.Flex', 16, 128);
  const a10 = type('VM.GPU.A10.1', 30, 240, nvidia('A10', 1, 24));

  it('makes the price of a shape of its parts, and half of it where it may be preempted', async () => {
    const gone = row(type('BM.GPU2.2', 28, 192, nvidia('P100', 2, 16)), 'eu-frankfurt-1', 2);
    const other = row(type('BM.GPU.Z9.4', 28, 192, nvidia('H100', 2, 80)), 'eu-frankfurt-1', 2);
    const { reading } = await read('oci', LISTS, {
      current: [
        row(flex, 'eu-frankfurt-1', 1),
        row(flex, 'eu-frankfurt-1', 1, true),
        row(a10, 'us-ashburn-1', 1),
        gone,
        other,
      ],
    });
    expect(prices(reading)).toEqual([
      'BM.Standard.E4.128 eu-frankfurt-1 6.272',
      'BM.Standard.E4.128 us-ashburn-1 6.272',
      'BM.Standard.E9.64 eu-frankfurt-1 3.136',
      'BM.Standard.E9.64 us-ashburn-1 3.136',
      'VM.GPU.A10.1 1xA10 us-ashburn-1 1.05 spot',
      'VM.GPU.A10.1 1xA10 us-ashburn-1 2.1',
      'VM.Standard.E4.Flex eu-frankfurt-1 0.196 spot',
      'VM.Standard.E4.Flex eu-frankfurt-1 0.392',
    ]);
    expect([reading.covers(gone), reading.covers(other)]).toEqual([true, false]);
    expect(reading.remarks[0]).toContain('BM.GPU.Z9.4');
  });

  it('without a price by use is told to have changed', async () => {
    const changed = LISTS['cetools/api'].replaceAll('PAY_AS_YOU_GO', 'PAYG');
    await expect(read('oci', { ...LISTS, 'cetools/api': changed })).rejects.toThrow(
      'items: no product has a price by use in USD',
    );
  });
});

describe("RunPod's prices", () => {
  it('are those of a GPU times their count, in every data center', async () => {
    const h100 = type('NVIDIA H100 80GB HBM3', 160, 1000, nvidia('H100', 8, 80));
    const { reading } = await read(
      'runpod',
      { graphql: priceList('runpod/gpu-types.json') },
      { current: [row(h100, 'US-CA-2', 23)] },
    );
    expect(prices({ rows: reading.rows.filter(({ location }) => location === 'US-CA-2') })).toEqual([
      'NVIDIA H100 80GB HBM3 1xH100 US-CA-2 2.69',
      'NVIDIA H100 80GB HBM3 2xH100 US-CA-2 5.38',
      'NVIDIA H100 80GB HBM3 4xH100 US-CA-2 10.76',
      'NVIDIA H100 80GB HBM3 8xH100 US-CA-2 21.52',
      'NVIDIA H100 80GB HBM3 8xH100 US-CA-2 24.8',
      'NVIDIA RTX PRO 4500 Blackwell 1xRTXPRO4500 US-CA-2 0.74',
      'NVIDIA RTX PRO 4500 Blackwell 2xRTXPRO4500 US-CA-2 1.48',
      'NVIDIA RTX PRO 4500 Blackwell 4xRTXPRO4500 US-CA-2 2.96',
    ]);
    expect(reading.rows.find(({ price }) => price === 21.52)?.type).toMatchObject({ cpus: 160, memoryMib: 1_024_000 });
    expect(reading.rows.filter(({ location, type: { flags } }) => location === 'EU-RO-1' && flags.length > 0)).toEqual(
      [],
    );
    expect(reading.remarks).toEqual(['too little is known of 2 kinds of GPUs: NVIDIA L40S, unknown']);
  });

  it('are not there when the API says what went wrong instead', async () => {
    const reply = '{"errors":[{"message":"Cannot query field gpuTypes"}],"data":null}';
    await expect(read('runpod', { graphql: reply })).rejects.toThrow('graphql, data: Cannot query field gpuTypes');
  });
});

it("reads Lambda's types in all regions, with a key", async () => {
  const lists = { 'instance-types': priceList('lambda/instance-types.json'), images: priceList('lambda/images.json') };
  const { reading } = await read('lambda', lists, { accounts: { lambda: { apiKey: 'k' } } });
  expect(prices(reading)).toEqual([
    'cpu_4x_general us-east-1 0.2',
    'cpu_4x_general us-west-3 0.2',
    'gpu_1x_gh200 1xGH200 us-east-1 1.49',
    'gpu_1x_gh200 1xGH200 us-west-3 1.49',
    'gpu_8x_h100_sxm5 8xH100 us-east-1 23.92',
    'gpu_8x_h100_sxm5 8xH100 us-west-3 23.92',
  ]);
  expect(reading.rows.find(({ type: { name } }) => name === 'gpu_1x_gh200')?.type).toMatchObject({
    cpuArch: 'arm',
    flags: ['lambda-arm'],
  });
  await expect(read('lambda', lists)).rejects.toThrow('API key');
});
