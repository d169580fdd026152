import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog, decodeCatalog } from '@dstack/catalog';
import { allRows, REFRESH_LIMITS, SourceClient } from '@dstack/catalog/refresh';
import { gpuOf } from '../src/aws-account.js';
import { accountsOf } from '../src/accounts-of-environment.js';
import { DATA_DIRECTORY } from '../src/data-directory.js';
import { refresh, type RefreshOptions } from '../src/refresh.js';
import { oracleLists } from './support/oracle-lists.js';

let out: string;
beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'catalog-'))));
afterEach(() => rmSync(out, { recursive: true }));

async function oracle(usdPerGpu: number, { status = 200 } = {}): Promise<(url: string) => Promise<Response>> {
  const lists = oracleLists(usdPerGpu);
  return async (url) => new Response(lists(url), { status });
}

async function run(fetch: (url: string) => Promise<Response>, rest: Partial<RefreshOptions> = {}) {
  const lines: string[] = [];
  const now = () => Date.parse('2026-11-30T00:00:00Z');
  const source = new SourceClient({ fetch, now, random: () => 0, sleep: async () => {} }, new AbortController().signal);
  const outcome = await refresh('oci', {
    reader: { source, now, accounts: {}, urls: {}, awsRegions: null },
    directory: DATA_DIRECTORY,
    out,
    limits: REFRESH_LIMITS,
    isForced: false,
    isDry: false,
    print: (line) => lines.push(line),
    ...rest,
  });
  return { outcome, text: lines.join('\n') };
}

function a10Prices(): string[] {
  const rows = allRows(new Catalog(decodeCatalog(readFileSync(join(out, 'oci.catalog')))));
  const a10 = rows.filter(({ type, location }) => type.gpu?.name === 'A10' && location === 'eu-frankfurt-1');
  return a10.map(({ type, price, isSpot, source }) => `${type.name} ${price} ${isSpot ? 'spot ' : ''}${source.date}`);
}

it('rewrites the catalog of a cloud and says what changed', async () => {
  const { outcome, text } = await run(await oracle(2.1));
  expect(outcome).toBe('written');
  expect(text).toMatch(/^oci: \d+ prices, before \d+: 82 added, 0 removed, 123 changed\n {2}\+ VM.GPU.A10.1 /);
  expect(a10Prices()).toEqual([
    'VM.GPU.A10.1 1.05 spot 2026-11-30',
    'VM.GPU.A10.1 2.1 2026-11-30',
    'VM.GPU.A10.2 2.1 spot 2026-11-30',
    'VM.GPU.A10.2 4.2 2026-11-30',
    'BM.GPU.A10.4 8.4 2026-11-30',
  ]);
});

it('writes no prices that are hardly true, unless it is told to', async () => {
  const refused = await run(await oracle(0.02));
  expect(refused.outcome).toBe('refused');
  expect(refused.text).toContain('  doubtful: 123 prices jump: ');
  expect(existsSync(join(out, 'oci.catalog'))).toBe(false);
  expect((await run(await oracle(0.02), { isForced: true })).outcome).toBe('written');
  // What was written is what the next list is compared with.
  expect((await run(await oracle(0.02))).text).toContain('0 added, 0 removed, 0 changed');
});

it('writes nothing when it only looks, and nothing of a list that fails', async () => {
  expect((await run(await oracle(2.1), { isDry: true })).outcome).toBe('dry');
  const failed = await run(await oracle(2.1, { status: 403 }));
  expect(failed).toMatchObject({ outcome: 'failed', text: expect.stringContaining('the reply is 403') as string });
  expect(existsSync(join(out, 'oci.catalog'))).toBe(false);
});

it.each([
  ['H100', 8, 81_920, 'H100', 80],
  ['L4', 1, 22_888, 'L4', 24],
  ['A10G', 1, 24_576, 'A10G', 24],
  ['B300', 8, 275_040, 'B300', 270],
  ['RTX PRO Server 6000', 2, 97_887, 'RTXPRO6000', 96],
  ['RTX PRO 4500', 1, 32_623, 'RTXPRO4500', 32],
  ['Radeon Pro V520', 1, 8_192, 'RadeonProV520', 8],
  ['T4g', 2, 16_384, 'T4g', 16],
])('takes what EC2 calls %s for the accelerator', (name, count, mib, known, gb) => {
  expect(gpuOf({ Name: name, Count: count, MemoryInfo: { SizeInMiB: mib } })).toMatchObject({
    name: known,
    count,
    memoryMib: gb * 1024,
  });
});

it('takes keys from the environment, and a token before a key', () => {
  expect(accountsOf({ GOOGLE_API_KEY: 'k', LAMBDA_API_KEY: '' })).toEqual({
    gcp: { key: { apiKey: 'k' }, project: null },
  });
  expect(accountsOf({ GOOGLE_API_KEY: 'k', GOOGLE_ACCESS_TOKEN: 't', GOOGLE_CLOUD_PROJECT: 'p' })).toEqual({
    gcp: { key: { token: 't' }, project: 'p' },
  });
});
