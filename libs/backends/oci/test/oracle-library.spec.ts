import common from 'oci-common';
import core from 'oci-core';
import identity from 'oci-identity';
import { OciFake, OciRefusal } from '@dstack/cloud-fakes/oci';
import { ACCOUNT, PRIVATE_KEY } from './support/oci-world.js';

/** The stand-in is worth as much as it is like the real thing: Oracle's own library has to be served by it. */
describe('the stand-in, asked by Oracle’s own library', () => {
  let fake: OciFake;
  const provider = new common.SimpleAuthenticationDetailsProvider(
    ACCOUNT.tenancy,
    ACCOUNT.user,
    ACCOUNT.fingerprint,
    PRIVATE_KEY,
    null,
    common.Region.EU_FRANKFURT_1,
  );
  const client = new core.ComputeClient({ authenticationDetailsProvider: provider });

  beforeEach(async () => {
    fake = await OciFake.start({ account: ACCOUNT, boot: async () => '198.51.100.7', halt: async () => undefined });
    client.endpoint = `${fake.url}/eu-frankfurt-1`;
  });
  afterEach(async () => {
    client.close();
    await fake.close();
    expect(fake.violations).toEqual([]);
  });

  it('takes its signatures, and gives it pages', async () => {
    const shapes: string[] = [];
    const request = { compartmentId: ACCOUNT.tenancy, limit: 100 };
    for await (const { shape } of client.listAllShapes(request)) shapes.push(shape);
    expect(shapes).toContain('VM.GPU.A10.1');
    const who = new identity.IdentityClient({ authenticationDetailsProvider: provider });
    who.endpoint = `${fake.url}/eu-frankfurt-1`;
    const { items } = await who.listRegionSubscriptions({ tenancyId: ACCOUNT.tenancy });
    expect(items.find(({ isHomeRegion }) => isHomeRegion)?.regionName).toBe('us-ashburn-1');
    who.close();
  });

  it('refuses as it expects it', async () => {
    const { warn } = console;
    // It writes every refusal there.
    console.warn = () => undefined;
    fake.refuseNext('GET', '/instances', new OciRefusal(404, 'NotAuthorizedOrNotFound', 'not found'));
    await expect(client.getInstance({ instanceId: 'ocid1.instance.oc1..x' })).rejects.toMatchObject({
      statusCode: 404,
      serviceCode: 'NotAuthorizedOrNotFound',
    });
    console.warn = warn;
  });
});
