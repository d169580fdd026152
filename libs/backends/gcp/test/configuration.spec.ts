import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBackendError } from '@dstack/backend-base';
import type { GcpFake } from '@dstack/cloud-fakes/gcp';
import { gcpModule } from '../src/compute.js';
import { gcpDefinition } from '../src/index.js';
import { config, environment, QUERY, call, startFake } from './support/gcp-world.js';

let fake: GcpFake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(async () => {
  await fake.close();
  expect(fake.violations).toEqual([]);
});

const KEY = '{"client_email": "a@b", "private_key": "k"}';
const problemsOf = (given: object) => {
  const base = { type: 'gcp', project_id: 'p', creds: { type: 'default' } };
  const result = gcpDefinition.configSchema.safeParse({ ...base, ...given });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const validate = (extra: object = {}, endpoint = fake.url) =>
  gcpModule.validate?.(config(fake, extra), environment(endpoint), AbortSignal.timeout(5_000));

describe('the shape of the configuration', () => {
  it.each([
    ['a key', { creds: { type: 'service_account', data: KEY } }],
    ['a key and the file it came from', { creds: { type: 'service_account', filename: '/key.json', data: KEY } }],
    ['everything', {
      regions: ['us-central1'], vpc_name: 'mine', vpc_project_id: 'host', extra_vpcs: ['a', 'b'], roce_vpcs: ['r'], public_ips: false,
      nat_check: false, vm_service_account: 'w@p.iam.gserviceaccount.com', tags: { team: 'ml' }, preview_features: ['g4'],
    }], // prettier-ignore
    ['nulls', {
      regions: null, vpc_name: null, vpc_project_id: null, extra_vpcs: null, roce_vpcs: null, public_ips: null, nat_check: null,
      vm_service_account: null, tags: null, preview_features: null,
    }], // prettier-ignore
    ["a project of an organisation's", { project_id: 'example.com:mine' }],
  ])('may have %s', (_what, given) => {
    expect(problemsOf(given)).toEqual([]);
  });

  it.each([
    ['no project', { project_id: undefined }, /^project_id: /],
    ['a path for a project', { project_id: '../other' }, /^project_id: is not the id/],
    ['a path for a network', { vpc_name: 'projects/p/global/networks/mine' }, /^vpc_name: is not the name/],
    ['two RoCE networks', { roce_vpcs: ['a', 'b'] }, /^roce_vpcs: /],
    ['no region', { regions: [] }, /^regions: /],
    ['a label in capitals', { tags: { Team: 'ml' } }, /^tags\.Team: /],
    ['a value that is no label', { tags: { team: 'M L' } }, /^tags\.team: is not what Google takes/],
    ['too many labels', { tags: Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`t${n}`, 'x'])) }, /^tags: are at most 25/], // prettier-ignore
    ['an unknown preview', { preview_features: ['g5'] }, /^preview_features\.0: /],
    ['no credentials', { creds: undefined }, /^creds: /],
    ['credentials of another cloud', { creds: { type: 'access_key' } }, /^creds\.type: /],
    ['a file that was not read', { creds: { type: 'service_account', filename: '/key.json' } }, /^creds\.data: /],
    ['what is no JSON', { creds: { type: 'service_account', data: '/key.json' } }, /^creds\.data: is not JSON/],
    ['no key', { creds: { type: 'service_account', data: '{"type": "authorized_user"}' } }, /^creds\.data: .*no client_email and no private_key/], // prettier-ignore
  ])('has not %s', (_what, given, problem) => {
    expect(problemsOf(given)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('the configuration', () => {
  it('works with a key, regions and a network that are there', async () => {
    expect(await validate()).toEqual([]);
  });

  it('names the project that is not there', async () => {
    expect(await validate({ project_id: 'other' })).toEqual([
      { path: ['project_id'], message: 'Google Cloud has no project other' },
    ]);
  });

  it('names the key that Google rejects', async () => {
    fake.isKeyRevoked = true;
    const [issue] = (await validate()) ?? [];
    expect(issue).toMatchObject({ path: ['creds', 'data'], message: expect.stringMatching(/^authError: /) as string });
  });

  it('names the key that cannot sign', async () => {
    const data = JSON.stringify({ client_email: 'a@b', private_key: 'not a key' });
    expect(await validate({ creds: { type: 'service_account', data } })).toEqual([
      { path: ['creds', 'data'], message: 'the private key cannot be used to sign' },
    ]);
  });

  it('tells which permission is missing', async () => {
    fake.refuseNext('projects.get', [403, 'forbidden', "Required 'compute.projects.get' permission"]);
    expect(await validate()).toEqual([
      { path: ['creds', 'data'], message: "forbidden: Required 'compute.projects.get' permission" },
    ]);
  });

  it('names the regions without a subnet', async () => {
    fake.gce.subnets.set('mine', ['us-central1']);
    expect(await validate({ vpc_name: 'mine' })).toEqual([
      {
        path: ['regions', 1],
        message: expect.stringContaining('networks/mine has no subnet in europe-west4') as string,
      },
    ]);
    expect(await validate({ vpc_name: 'mine', regions: null })).toEqual([]);
  });

  it('names the network that is not there', async () => {
    expect(await validate({ vpc_name: 'none' })).toMatchObject([{ path: ['vpc_name'] }]);
  });

  it('names the shared project that may not be looked at', async () => {
    fake.refuseNext('subnetworks.listUsable', [403, 'forbidden']);
    expect(await validate({ vpc_project_id: 'host' })).toMatchObject([{ path: ['vpc_project_id'] }]);
  });

  it('needs a NAT in each region when machines get no public addresses', async () => {
    fake.gce.nats.add('us-central1');
    expect(await validate({ public_ips: false })).toMatchObject([
      { path: ['regions', 1], message: expect.stringContaining('no Cloud NAT in europe-west4') as string },
    ]);
    expect(await validate({ public_ips: false, regions: null })).toEqual([]);
    expect(await validate({ public_ips: false, nat_check: false })).toEqual([]);
    expect(await validate({ public_ips: false, vpc_project_id: 'host' })).toEqual([]);
    fake.gce.nats.clear();
    expect(await validate({ public_ips: false, regions: null })).toMatchObject([{ path: ['public_ips'] }]);
  });

  it('cannot be checked while Google does not answer', async () => {
    const failure: unknown = await Promise.resolve(validate({}, 'http://127.0.0.1:1')).catch((error: unknown) => error);
    expect(isBackendError(failure) && failure.failure.kind).toBe('outage');
  });
});

describe("the server's own credentials", () => {
  const directory = mkdtempSync(join(tmpdir(), 'dstack-gcp-'));
  const before = process.env.GOOGLE_APPLICATION_CREDENTIALS;
  afterAll(() => {
    if (before === undefined) delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
    else process.env.GOOGLE_APPLICATION_CREDENTIALS = before;
    rmSync(directory, { recursive: true });
  });

  it('are those that Google finds', async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = join(directory, 'key.json');
    writeFileSync(process.env.GOOGLE_APPLICATION_CREDENTIALS, fake.key.file);
    expect(await validate({ creds: { type: 'default' } })).toEqual([]);
    const compute = await gcpModule.open(config(fake, { creds: { type: 'default' } }), environment(fake.url));
    expect((await compute.offers(QUERY, call())).length).toBeGreaterThan(100);
  });

  it('are missed by name', async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = join(directory, 'none.json');
    const [issue] = (await validate({ creds: { type: 'default' } })) ?? [];
    expect(issue).toMatchObject({ path: ['creds'], message: expect.stringContaining('none.json') as string });
  });
});
