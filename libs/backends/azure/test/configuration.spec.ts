import { ArmRefusal } from '@dstack/cloud-fakes/azure';
import { azureModule } from '../src/compute.js';
import { azureDefinition, type AzureConfig } from '../src/index.js';
import { REGIONS, regionsOf } from '../src/definition.js';
import { ACCOUNT, type AzureWorld, config, CREDS, environment, startAzureWorld } from './support/azure-world.js';

const given = (extra: object = {}) => ({
  type: 'azure',
  tenant_id: ACCOUNT.tenantId,
  subscription_id: ACCOUNT.subscriptionId,
  creds: CREDS,
  ...extra,
});

describe('a configuration', () => {
  it.each<[string, object]>([
    ['with what is needed', {}],
    ['with nothing in what is optional', { resource_group: null, regions: null, vpc_ids: null, subnet_ids: null, public_ips: null, vm_managed_identity: null, tags: null }], // prettier-ignore
    ['with the default credentials', { creds: { type: 'default' } }],
    ['with another tenant to sign in to', { creds: { ...CREDS, tenant_id: 'other' } }],
    ['with networks of its own', { vpc_ids: { eastus: 'g/n' }, subnet_ids: { westus2: 'g/n/s' }, public_ips: false }],
  ])('%s is taken', (_what, extra) => {
    expect(azureDefinition.configSchema.safeParse(given(extra)).error).toBeUndefined();
  });

  it('of old calls its regions locations', () => {
    expect(azureDefinition.configSchema.parse(given({ locations: ['eastus'] }))).toMatchObject({ regions: ['eastus'] });
  });

  it.each<[string, object, string]>([
    ['a region that is none', { regions: ['eastus', 'moon'] }, 'regions.1'],
    ['a network that is none', { vpc_ids: { eastus: 'n' } }, 'vpc_ids.eastus'],
    ['a subnet that is none', { subnet_ids: { eastus: 'g/n' } }, 'subnet_ids.eastus'],
    ['a network of no region', { vpc_ids: { moon: 'g/n' } }, 'vpc_ids.moon'],
    ['two ways to a network', { vpc_ids: { eastus: 'g/n' }, subnet_ids: { eastus: 'g/n/s' } }, 'subnet_ids.eastus'],
    ['a region without its network', { regions: ['eastus'], vpc_ids: { westus2: 'g/n' } }, 'regions.0'],
    ['no way out', { public_ips: false }, 'public_ips'],
    ['an identity that is none', { vm_managed_identity: 'reader' }, 'vm_managed_identity'],
    ['a tag of Azure', { tags: { 'azure-x': 'y' } }, 'tags.azure-x'],
    ['a tag with a slash', { tags: { 'a/b': 'y' } }, 'tags.a/b'],
    ['a long tag', { tags: { a: 'y'.repeat(257) } }, 'tags.a'],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`t${n}`, ''])) }, 'tags'],
    ['no secret', { creds: { type: 'client', client_id: 'a' } }, 'creds.client_secret'],
  ])('with %s is refused', (_what, extra, path) => {
    const parsed = azureDefinition.configSchema.safeParse(given(extra));
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it.each<[string, object, readonly string[]]>([
    ['named', { regions: ['eastus'] }, ['eastus']],
    ['with networks', { vpc_ids: { eastus: 'g/n' }, subnet_ids: { westus2: 'g/n/s' } }, ['eastus', 'westus2']],
    ['all', {}, REGIONS],
  ])('uses the regions that are %s', (_what, extra, regions) => {
    const parsed: AzureConfig = azureDefinition.configSchema.parse(given(extra));
    expect(regionsOf(parsed)).toEqual(regions);
  });
});

describe('what is checked before it is stored', () => {
  let world: AzureWorld;
  beforeEach(async () => {
    world = await startAzureWorld();
  });
  afterEach(async () => {
    await world.close();
    expect(world.fake.violations).toEqual([]);
  });

  const validate = async (extra: object = {}) =>
    (await azureModule.validate?.(config(extra), environment(world.fake.url), AbortSignal.timeout(10_000))) ?? [];
  const paths = async (extra: object) => (await validate(extra)).map(({ path }) => path.join('.'));

  it('works with a principal', async () => {
    expect(await validate()).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['tenant', { tenant_id: 'other' }, ['tenant_id']],
    ['tenant to sign in to', { creds: { ...CREDS, tenant_id: 'other' } }, ['creds.tenant_id']],
    ['principal', { creds: { ...CREDS, client_id: 'other' } }, ['creds.client_id']],
    ['secret', { creds: { ...CREDS, client_secret: 'other' } }, ['creds.client_secret']],
    ['subscription', { subscription_id: 'other' }, ['subscription_id']],
    ['resource group', { resource_group: 'other' }, ['resource_group']],
    ['identity', { vm_managed_identity: 'ids/other' }, ['vm_managed_identity']],
    ['network', { vpc_ids: { eastus: 'net/other', westus2: 'net/other' } }, ['vpc_ids.eastus', 'vpc_ids.westus2']],
    ['subnet', { regions: ['eastus'], subnet_ids: { eastus: 'net/other/x' } }, ['subnet_ids.eastus']],
  ])('names the %s that is wrong', async (_what, extra, expected) => {
    world.fake.groups.set('net', 'eastus').set('ids', 'eastus');
    expect(await paths(extra)).toEqual(expected);
  });

  it.each([
    [403, 'AuthorizationFailed', ['creds']],
    [401, 'InvalidAuthenticationTokenTenant', ['tenant_id']],
    [401, 'InvalidAuthenticationToken', ['creds.client_id', 'creds.client_secret']],
  ])('%d %s is of its field', async (status, code, expected) => {
    world.fake.refuseNext('GET', 'resourcegroups', new ArmRefusal(status, code, 'no'));
    expect(await paths({})).toEqual(expected);
  });

  it('is no refusal when nobody answers', async () => {
    const nowhere = azureModule.validate?.(config(), environment('http://127.0.0.1:1'), AbortSignal.timeout(10_000));
    await expect(nowhere).rejects.toMatchObject({ failure: { kind: 'outage' } });
  });
});
