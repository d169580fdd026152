import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { publicFetch } from '@dstack/backend-base/proxy';
import { READ_CLOUDS, type ReadCloud, REFRESH_LIMITS, SourceClient } from '@dstack/catalog/refresh';
import { accountsOf } from './accounts-of-environment.js';
import { awsAccount } from './aws-account.js';
import { DATA_DIRECTORY } from './data-directory.js';
import { pack } from './pack.js';
import { refresh, type RefreshOutcome } from './refresh.js';
import { TABLES } from './tables.js';

const USAGE = `npm run catalog -- refresh CLOUD…|all [OPTIONS]
Reads the price lists of clouds and rewrites their catalogs. CLOUD: ${READ_CLOUDS.join(', ')}.

  --out DIRECTORY      where the catalogs are written (default: libs/catalog/data)
  --dry-run            only say what would change
  --force              write also what looks like a mistake
  --max-lost PERCENT   so many prices may go (default: ${REFRESH_LIMITS.maxLostPercent})
  --max-factor FACTOR  a price may get so many times dearer or cheaper (default: ${REFRESH_LIMITS.maxFactor})
  --aws-regions LIST   of AWS, whose list is several GB: these regions only, by commas
  --aws-account        ask EC2 too, with the credentials of the environment: GPUs of new types, and spot prices
  --url NAME=URL       another address of a list: ${READ_CLOUDS.join(', ')}, aws-ec2, aws-spot-advice, azure-management, gcp-compute, oci-shapes

Keys from the environment: GOOGLE_API_KEY, or GOOGLE_ACCESS_TOKEN and GOOGLE_CLOUD_PROJECT (gcp); LAMBDA_API_KEY (lambda);
AZURE_SUBSCRIPTION_ID and AZURE_ACCESS_TOKEN (sizes of azure that the catalog does not know).
Exit status: 0 all was read, 1 something was refused or failed, 2 the command line is wrong.

npm run catalog -- pack DIRECTORY [CLOUD…]
Writes libs/catalog/data from the tables in DIRECTORY: ${Object.values(TABLES)
  .flat()
  .map(({ file }) => file)
  .join(', ')}.`;

class UsageError extends Error {}

try {
  await run();
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  if (!isUsage) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      out: { type: 'string', default: DATA_DIRECTORY },
      'dry-run': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      'max-lost': { type: 'string', default: String(REFRESH_LIMITS.maxLostPercent) },
      'max-factor': { type: 'string', default: String(REFRESH_LIMITS.maxFactor) },
      'aws-regions': { type: 'string' },
      'aws-account': { type: 'boolean', default: false },
      url: { type: 'string', multiple: true, default: [] },
    },
    allowPositionals: true,
  });
  const [command, ...rest] = positionals;
  if (values.help) console.log(USAGE);
  else if (command === 'pack') packAll(rest);
  else if (command === 'refresh') await refreshAll(rest, values);
  else throw new UsageError(command === undefined ? 'no command' : `no such command: ${command}`);
}

function packAll([from, ...clouds]: readonly string[]): void {
  if (from === undefined) throw new UsageError('pack needs the directory of the tables');
  for (const [cloud, tables] of Object.entries(TABLES)) {
    if (clouds.length > 0 && !clouds.includes(cloud)) continue;
    const { rows, types, bytes } = pack(cloud, tables, from);
    console.log(`${cloud}: ${rows} prices of ${types} types, ${Math.round(bytes / 1024)} KiB`);
  }
}

interface RefreshValues {
  readonly out: string;
  readonly 'dry-run': boolean;
  readonly force: boolean;
  readonly 'max-lost': string;
  readonly 'max-factor': string;
  readonly 'aws-regions'?: string | undefined;
  readonly 'aws-account': boolean;
  readonly url: readonly string[];
}

async function refreshAll(named: readonly string[], values: RefreshValues): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () =>
    stop.abort(new Error('interrupted; the catalogs that were not written are as they were')),
  );
  const now = (): number => Date.now();
  const urls = Object.fromEntries(values.url.map(parseUrl));
  const source = new SourceClient(
    { fetch: publicFetch, now, random: () => Math.random(), sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
    stop.signal,
  );
  const aws = values['aws-account'] ? { aws: awsAccount(now, urls['aws-ec2'] ?? null) } : {};
  const options = {
    reader: {
      source,
      now,
      accounts: { ...accountsOf(process.env), ...aws },
      urls,
      awsRegions: values['aws-regions']?.split(',') ?? null,
    },
    directory: DATA_DIRECTORY,
    out: values.out,
    limits: {
      ...REFRESH_LIMITS,
      maxLostPercent: numberOf('--max-lost', values['max-lost'], 0),
      maxFactor: numberOf('--max-factor', values['max-factor'], 1),
    },
    isForced: values.force,
    isDry: values['dry-run'],
    print: (line: string) => console.log(line),
  };
  const outcomes: RefreshOutcome[] = [];
  const clouds = cloudsOf(named);
  for (const cloud of clouds) outcomes.push(await refresh(cloud, options));
  // Of all clouds one may have keys for some only; a cloud that is named is wanted.
  const isBad = (outcome: RefreshOutcome): boolean =>
    ['refused', 'failed', 'partly'].includes(outcome) || (outcome === 'skipped' && !named.includes('all'));
  if (outcomes.some(isBad)) process.exitCode = 1;
}

function cloudsOf(named: readonly string[]): readonly ReadCloud[] {
  if (named.length === 0) throw new UsageError('refresh needs the names of clouds, or all');
  if (named.includes('all')) return READ_CLOUDS;
  return named.map((name) => {
    const cloud = READ_CLOUDS.find((each) => each === name);
    if (cloud === undefined) throw new UsageError(`no price list of ${name} is read: ${READ_CLOUDS.join(', ')}`);
    return cloud;
  });
}

function parseUrl(text: string): [string, string] {
  const [, name, url] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || url === undefined || !URL.canParse(url)) {
    throw new UsageError(`--url is like aws=https://mirror.example, not ${text}`);
  }
  return [name, url.replace(/\/+$/, '')];
}

function numberOf(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least))
    throw new UsageError(`${flag} is a number from ${least} on, not ${text}`);
  return value;
}
