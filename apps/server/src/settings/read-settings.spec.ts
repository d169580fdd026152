import { readSettings, SettingsError } from './read-settings.js';

const read = (env: Record<string, string>): ReturnType<typeof readSettings>['settings'] => readSettings(env).settings;

it('takes the images of jobs from where the original takes them', () => {
  expect(
    read({
      DSTACK_DOCKER_BASE_IMAGE: 'mirror/base',
      DSTACK_DOCKER_BASE_IMAGE_VERSION: '1.0',
      DSTACK_DOCKER_BASE_IMAGE_UBUNTU_VERSION: '22.04',
      DSTACK_DIND_IMAGE: 'mirror/dind',
      DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY: 'registry.example.com',
    }).images,
  ).toMatchObject({
    baseImage: 'mirror/base',
    baseVersion: '1.0',
    ubuntuVersion: '22.04',
    dindImage: 'mirror/dind',
    registry: 'registry.example.com',
  });
});

it('takes who pulls from the registry of images without one', () => {
  const registry = { DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY: 'mirror' };
  const login = {
    DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_USERNAME: 'ada',
    DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_PASSWORD: 'p',
  };
  expect(read(registry).registryLogin).toBeNull();
  expect(read({ ...registry, ...login }).registryLogin).toEqual({ registry: 'mirror', username: 'ada', password: 'p' });
});

it('takes what runs may ask for', () => {
  const { runLimits } = read({
    DSTACK_SERVER_MAX_PROBES_PER_JOB: '3',
    DSTACK_SERVER_MAX_PROBE_TIMEOUT: '20',
    DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS: '7200',
    DSTACK_FORBID_DSTACK_IN_RUNS: '',
  });
  expect(runLimits).toEqual({
    maxProbes: 3,
    maxProbeTimeoutSeconds: 20,
    metricsTtlSeconds: 7200,
    forbidDstackAccess: true,
    forbidServicesWithoutGateway: false,
  });
});

it('takes what machines start with and what their containers share', () => {
  expect(read({})).toMatchObject({
    jobNetworks: 'host-of-whole-machines',
    machineImages: { prefix: '', version: '0.14' },
    ambientCredentials: true,
    serviceMaxBodyBytes: 67_108_864,
  });
  expect(
    read({
      DSTACK_SERVER_JOB_NETWORK_MODE: '3',
      DSTACK_VM_BASE_IMAGE_PREFIX: 'stage-',
      DSTACK_VM_BASE_IMAGE_VERSION: '0.15',
      DSTACK_DEFAULT_CREDS_DISABLED: '',
      DSTACK_DEFAULT_SERVICE_CLIENT_MAX_BODY_SIZE: '0',
    }),
  ).toMatchObject({
    jobNetworks: 'own',
    machineImages: { prefix: 'stage-', version: '0.15' },
    ambientCredentials: false,
    serviceMaxBodyBytes: 0,
  });
});

it('warns of names that do nothing', () => {
  const { warnings } = readSettings({ DSTACK_SERVER_PROT: '1', DSTACK_SERVER_PORT: '1' });
  expect(warnings).toEqual(['DSTACK_SERVER_PROT is not a setting of this server and has no effect.']);
});

it('takes how prices are kept up to date', () => {
  const week = { refreshMs: 604_800_000, url: undefined, googleApiKey: undefined };
  expect(read({}).catalogs).toEqual(week);
  expect(
    read({ DSTACK_SERVER_CATALOG_REFRESH_SECONDS: '0', DSTACK_SERVER_CATALOG_URL: 'https://mirror/prices/' }).catalogs,
  ).toEqual({ ...week, refreshMs: null, url: 'https://mirror/prices' });
});

it.each([
  [{ DSTACK_SERVER_PORT: 'abc' }, 'DSTACK_SERVER_PORT must be a whole number, not "abc".'],
  [{ DSTACK_SERVER_PORT: '99999' }, 'DSTACK_SERVER_PORT must be from 0 to 65535, not 99999.'],
  [{ DSTACK_SERVER_SSHPROXY_ENFORCED: '1' }, 'set DSTACK_SERVER_SSHPROXY_ADDRESS too'],
  [{ DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_USERNAME: 'ada' }, 'belong together'],
  [{ DSTACK_AGENT_DOWNLOAD_URL: 'agent.tar.gz' }, 'DSTACK_AGENT_DOWNLOAD_URL must be like https://host/'],
  [
    { DSTACK_SERVER_CATALOG_URL: 'https://me:word@mirror/prices' },
    'DSTACK_SERVER_CATALOG_URL must be like https://host',
  ],
  [{ DSTACK_SERVER_CATALOG_REFRESH_SECONDS: '-1' }, 'DSTACK_SERVER_CATALOG_REFRESH_SECONDS must be 0 (never) or more'],
  [{ DSTACK_SERVER_PROXY_URL: 'https://x.example/path' }, 'DSTACK_SERVER_PROXY_URL must be an origin'],
  [{ DSTACK_SERVER_PROXY_URL: 'http://127.0.0.1:3000' }, 'DSTACK_SERVER_PROXY_URL must be another origin'],
  [{ DSTACK_ACME_EAB_KID: 'k' }, 'must be set together'],
  [{ DSTACK_ACME_SERVER: 'x' }, 'DSTACK_ACME_SERVER must be the URL'],
  [{ DSTACK_SERVER_JOB_NETWORK_MODE: '4' }, 'DSTACK_SERVER_JOB_NETWORK_MODE must be one of 1, 2, 3, not "4"'],
  [{ DSTACK_DEFAULT_SERVICE_CLIENT_MAX_BODY_SIZE: '-1' }, 'must be 0 (any) or a number of bytes'],
  [{ DSTACK_SERVER_ENDED_TTL_SECONDS: '60' }, 'DSTACK_SERVER_ENDED_TTL_SECONDS must be 0 (for ever) or at least 3600'],
  [{ DSTACK_DB_POOL_SIZE: '0' }, 'DSTACK_DB_POOL_SIZE must be 1 or more, not 0.'],
  [{ DSTACK_SERVER_LOG_BUFFER_BYTES: '-1' }, 'DSTACK_SERVER_LOG_BUFFER_BYTES must be 0 or more, not -1.'],
  [{ DSTACK_SERVER_URL: 'foo' }, 'DSTACK_SERVER_URL must be like https://dstack.example.com, not "foo".'],
  [
    { FORWARDED_ALLOW_IPS: '10.0.0.0/8, proxy' },
    'FORWARDED_ALLOW_IPS must have addresses, ranges like 10.0.0.0/8, or *, with commas between them: not "proxy".',
  ],
  [{ DSTACK_SERVER_LOG_LEVEL: 'loud' }, 'DSTACK_SERVER_LOG_LEVEL must be one of DEBUG'],
])('refuses %j', (env, message) => {
  expect(() => readSettings(env)).toThrow(SettingsError);
  expect(() => readSettings(env)).toThrow(message);
});

it.each([
  [{}, undefined, 'never'],
  [{}, 'ask', 'ask'],
  [{ DSTACK_UPDATE_DEFAULT_PROJECT: '1' }, 'ask', 'always'],
  [{ DSTACK_UPDATE_DEFAULT_PROJECT: '1' }, undefined, 'always'],
  [{ DSTACK_DO_NOT_UPDATE_DEFAULT_PROJECT: '' }, 'ask', 'never'],
] as const)("with %j and the command line's %s the client's configuration is changed: %s", (env, stated, expected) => {
  const flags = stated === undefined ? {} : { configureClient: stated };
  expect(readSettings(env, flags).settings.configureClient).toBe(expected);
});

it.each([
  ['0.0.0.0', 'http://127.0.0.1:3000'],
  ['::1', 'http://[::1]:3000'],
  ['10.0.0.5', 'http://10.0.0.5:3000'],
])('listening on %s it is %s', (host, url) => {
  expect(read({ DSTACK_SERVER_HOST: host }).url).toBe(url);
});

it('starts Litestream where a replica is named, unless somebody else does', () => {
  const named = { LITESTREAM_REPLICA_URL: 's3://bucket/db' };
  expect(read(named).litestream).toEqual({ url: 's3://bucket/db', program: 'litestream' });
  const external = read({ ...named, DSTACK_SERVER_LITESTREAM: 'external' });
  expect([external.litestream, external.databaseIsReplicated]).toEqual([undefined, true]);
});
