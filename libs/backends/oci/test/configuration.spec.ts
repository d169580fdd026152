import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBackendError } from '@dstack/backend-base';
import { OciRefusal } from '@dstack/cloud-fakes/oci';
import { ociModule } from '../src/compute.js';
import { readProfile } from '../src/config-file.js';
import { ociDefinition } from '../src/index.js';
import {
  ACCOUNT,
  call,
  config,
  CREDS,
  environment,
  type OciWorld,
  PRIVATE_KEY,
  QUERY,
  startOciWorld,
} from './support/oci-world.js';

const { key_content: _key, ...NO_KEY } = CREDS;
const given = (extra: object = {}) => ({ type: 'oci', creds: CREDS, ...extra });
const COMPARTMENT = 'ocid1.compartment.oc1..mine';

describe('a configuration', () => {
  it.each<[string, object]>([
    ['with what is needed', {}],
    [
      'with nothing in what is optional',
      { regions: null, compartment_id: null, creds: { ...CREDS, key_file: null, pass_phrase: null } },
    ],
    ['with a key in a file', { creds: { ...NO_KEY, key_file: '~/.oci/key.pem' } }],
    ['with a compartment', { compartment_id: COMPARTMENT }],
  ])('%s is taken', (_what, extra) => {
    expect(ociDefinition.configSchema.safeParse(given(extra)).error).toBeUndefined();
  });

  it('with the default credentials is of the usual file', () => {
    expect(ociDefinition.configSchema.parse(given({ creds: { type: 'default' } })).creds).toEqual({
      type: 'default',
      file: '~/.oci/config',
      profile: 'DEFAULT',
    });
  });

  it.each<[string, object, string]>([
    ['a region that cannot be used', { regions: ['eu-frankfurt-1', 'ap-tokyo-1'] }, 'regions.1'],
    ['a compartment that is none', { compartment_id: 'mine' }, 'compartment_id'],
    ['a user that is none', { creds: { ...CREDS, user: 'me' } }, 'creds.user'],
    ['a tenancy that is none', { creds: { ...CREDS, tenancy: 'mine' } }, 'creds.tenancy'],
    ['a region that is none', { creds: { ...CREDS, region: 'http://evil' } }, 'creds.region'],
    ['no key', { creds: NO_KEY }, 'creds.key_content'],
    ['two keys', { creds: { ...CREDS, key_file: 'x' } }, 'creds.key_file'],
  ])('with %s is refused', (_what, extra, path) => {
    const parsed = ociDefinition.configSchema.safeParse(given(extra));
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });
});

describe('what is checked before it is stored', () => {
  let world: OciWorld;
  let directory: string;
  beforeEach(async () => {
    world = await startOciWorld();
    directory = mkdtempSync(join(tmpdir(), 'dstack-oci-'));
  });
  afterEach(async () => {
    await world.close();
    rmSync(directory, { recursive: true });
    expect(world.fake.violations).toEqual([]);
  });

  const validate = async (extra: object = {}) =>
    (await ociModule.validate?.(config(extra), environment(world.fake.url), AbortSignal.timeout(10_000))) ?? [];
  const paths = async (extra: object) => (await validate(extra)).map(({ path }) => path.join('.'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };

  it('works with a key', async () => {
    expect(await validate()).toEqual([]);
    expect(await validate({ regions: null })).toEqual([]);
  });

  it('works with a key in a file, and with one that a phrase opens', async () => {
    expect(await validate({ creds: { ...NO_KEY, key_file: file('key.pem', PRIVATE_KEY) } })).toEqual([]);
    const locked = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
    }).privateKey;
    expect(await paths({ creds: { ...NO_KEY, key_content: locked, pass_phrase: 'shut' } })).toEqual([
      'creds.key_content',
    ]);
    // Opened, and not the account's.
    expect(await paths({ creds: { ...NO_KEY, key_content: locked, pass_phrase: 'open' } })).toContain(
      'creds.fingerprint',
    );
  });

  it('works with a profile of a file', async () => {
    const key = file('key.pem', PRIVATE_KEY);
    const { user, tenancy, fingerprint } = ACCOUNT;
    const text = `[DEFAULT]\nuser=${user}\n tenancy = ${tenancy}\n# comment\n\n[other]\nfingerprint=${fingerprint}\nregion=us-ashburn-1\nkey_file=${key}\n`;
    const path = file('config', text);
    expect(await validate({ creds: { type: 'default', file: path, profile: 'other' } })).toEqual([]);
    writeFileSync(join(directory, 'evil'), text.replace('us-ashburn-1', 'evil.example/'));
    expect(await paths({ creds: { type: 'default', file: join(directory, 'evil'), profile: 'other' } })).toEqual(['creds.file']); // prettier-ignore
    expect(await paths({ creds: { type: 'default', file: path, profile: 'none' } })).toEqual(['creds.profile']);
    expect(await paths({ creds: { type: 'default', file: path } })).toEqual(['creds.file']);
    const compute = await ociModule.open(config({ creds: { type: 'default', file: path, profile: 'other' } }), environment(world.fake.url)); // prettier-ignore
    expect((await compute.offers(QUERY, call())).length).toBeGreaterThan(0);
  });

  it.each<[string, object, string[]]>([
    ['file', { creds: { ...NO_KEY, key_file: '/nowhere/key.pem' } }, ['creds.key_file']],
    ['key', { creds: { ...CREDS, key_content: 'no key' } }, ['creds.key_content']],
    [
      'user',
      { creds: { ...CREDS, user: 'ocid1.user.oc1..x' } },
      ['creds.user', 'creds.fingerprint', 'creds.key_content'],
    ],
    ['profile', { creds: { type: 'default', file: '/nowhere' } }, ['creds.file']],
    ['region', { regions: ['eu-frankfurt-1', 'uk-london-1', 'us-phoenix-1'] }, ['regions.1', 'regions.2']],
    ['compartment', { compartment_id: COMPARTMENT }, ['compartment_id']],
  ])('names the %s that is wrong', async (_what, extra, expected) => {
    expect(await paths(extra)).toEqual(expected);
  });

  it('names the tenancy, and the regions where none can be used', async () => {
    const unknown = new OciRefusal(404, 'NotAuthorizedOrNotFound', 'no');
    world.fake.refuseNext('GET', 'regionSubscriptions', unknown);
    expect(await paths({})).toEqual(['creds.tenancy']);
    world.fake.identity.regions.clear();
    world.fake.identity.regions.set('ap-tokyo-1', 'READY');
    expect(await paths({ regions: null })).toEqual(['regions']);
  });

  it('is no refusal when nobody answers', async () => {
    const nowhere = ociModule.validate?.(config(), environment('http://127.0.0.1:1'), AbortSignal.timeout(10_000));
    await expect(nowhere).rejects.toMatchObject({ failure: { kind: 'outage' } });
  });

  it('and what cannot be read later says where', async () => {
    const opening = ociModule.open(
      config({ creds: { ...NO_KEY, key_file: '/nowhere/key.pem' } }),
      environment(world.fake.url),
    );
    const error = await opening.catch((reason: unknown) => reason);
    expect(isBackendError(error) && [error.failure, error.message]).toEqual([
      { kind: 'credentials', blocks: 'account' },
      'creds.key_file: /nowhere/key.pem cannot be read on the server',
    ]);
  });
});

describe('a profile', () => {
  it.each<[string, string, string, Record<string, string> | null]>([
    ['of its own', '[a]\nuser=x', 'a', { user: 'x' }],
    ['with the rest of the default', '[DEFAULT]\nuser=x\nregion=r\n[a]\nuser=y', 'a', { user: 'y', region: 'r' }],
    ['with spaces, comments and equals signs', '[a]\n# no\n  pass_phrase = a=b \n', 'a', { pass_phrase: 'a=b' }],
    ['that is not there', '[a]\nuser=x', 'b', null],
    ['before any head', 'user=x\n[a]', 'a', {}],
  ])('%s', (_what, text, name, expected) => {
    const found = readProfile(text, name);
    expect(found === null ? null : Object.fromEntries(found)).toEqual(expected);
  });
});
