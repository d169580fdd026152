import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildColumns, bundledCatalog, encodeCatalog } from '@dstack/catalog';
import { allRows, CatalogSourceError, type Reading } from '@dstack/catalog/refresh';
import type { Wire } from '@dstack/core';
import { BackendEnvironments } from '../src/backends/backend-environments.js';
import { BackendStore } from '../src/backends/backend-store.js';
import { CatalogRefresher } from '../src/catalogs/catalog-refresher.js';
import { CatalogStore } from '../src/catalogs/catalog-store.js';
import type { DescribedCatalog } from '../src/catalogs/describe-catalog.js';
import { PriceListLoader } from '../src/catalogs/price-list-loader.js';
import { PriceLists } from '../src/catalogs/price-lists.js';
import { StoredCatalogs } from '../src/catalogs/stored-catalogs.js';
import { takeLease } from '../src/placement/lease.js';
import type { CatalogSettings } from '../src/settings/settings.js';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

const LISTS: CatalogSettings = { refreshMs: 1_000, url: undefined, googleApiKey: undefined };
const NEW = { source: 'list', date: '2099-01-01', isExact: true };
const bundled = allRows(bundledCatalog('oci'));
/** All of Oracle's prices, a cent higher. */
const dearer = bundled.map((row) => ({ ...row, price: row.price + 0.01, source: NEW }));
const few = dearer.slice(0, 10);
const whole = (rows: Reading['rows']): Reading => ({ rows, covers: () => true, failed: [], remarks: [] });

let server: TestServer;

/** A server whose project uses Oracle's cloud. */
async function start(catalogs: CatalogSettings, rest: Parameters<typeof startTestServer>[0] = {}): Promise<void> {
  server = await startTestServer({ backgroundProcessing: false, localBackend: false, catalogs, ...rest });
  await server.db.write(async (tx) => {
    const [project] = await tx.query<{ id: string }>('SELECT id FROM projects', []);
    await server.app.get(BackendStore).put(tx, project?.id ?? '', { type: 'oci', regions: null, creds: null });
  });
}

function answer(reading: () => Reading): string[] {
  const asked: string[] = [];
  const loader = server.app.get(PriceListLoader);
  const load = PriceListLoader.prototype.load.bind(loader);
  loader.load = async () => {
    const lists = await load();
    lists.read = async (cloud) => {
      asked.push(cloud);
      return reading();
    };
    return lists;
  };
  return asked;
}

const oracle = () => server.app.get(BackendEnvironments).of('oci').catalog('oci');
const sum = () => allRows(oracle()).reduce((total, { price }) => total + price, 0);
const round = () => server.app.get(CatalogRefresher).round();
/** As if no list had ever been read. */
async function forget(): Promise<void> {
  await server.db.write((tx) => tx.execute('DELETE FROM catalogs', []));
  await server.db.write((tx) => tx.execute('DELETE FROM leases', []));
  await server.app.get(StoredCatalogs).load();
}

/** As if the last try was long ago. */
const later = () => server.db.write((tx) => tx.execute('UPDATE catalogs SET tried_at = 0', []));
const events = async () =>
  ((await server.post('/api/events/list', { limit: 100 })).body as Wire.Event[])
    .map(({ message }) => message)
    .filter((message) => message.startsWith('Prices '));
const described = async (cloud: string) => {
  const { body } = await server.call('GET', '/api/server/catalogs');
  return (body as DescribedCatalog[]).find((each) => each.cloud === cloud);
};

describe.each(testDatabases())('price lists, on $name', ({ location }) => {
  beforeAll(async () => start(LISTS, { database: await location() }));
  afterAll(() => server.close());
  afterEach(forget);

  it('are read of clouds that a project uses, when they are due, and machines are made for these prices', async () => {
    const asked = answer(() => whole(dearer));
    const before = sum();
    await round();
    await round();
    expect(asked).toEqual(['oci']);
    expect(server.app.get(StoredCatalogs).stateOf('oci')).toMatchObject({ failures: 0, error: null, notes: [] });
    expect(sum()).toBeCloseTo(before + bundled.length * 0.01, 3);
    expect(await described('oci')).toMatchObject({ sources: [{ date: '2099-01-01', is_exact: true }], error: null });
    expect((await described('aws'))?.read_at).toBeNull();
  });

  it('are read by one server of several, and known to all', async () => {
    const asked = answer(() => whole(dearer));
    expect(await takeLease(server.db, 'catalogs', 'another server', 60_000)).not.toBeNull();
    await round();
    expect(asked).toEqual([]);
    const file = encodeCatalog(buildColumns(few));
    await server.db.write((tx) => server.app.get(CatalogStore).succeeded(tx, 'oci', { file, notes: [], etag: null }));
    await server.app.get(StoredCatalogs).load();
    expect(oracle().sources).toEqual([NEW]);
  });
});

describe('price lists', () => {
  beforeAll(() => start(LISTS));
  afterAll(() => server.close());
  afterEach(forget);

  it('that fail are told once, then to whoever looks, and again when they do not', async () => {
    answer(() => {
      throw new CatalogSourceError('https://list', 'the reply is 503');
    });
    const before = sum();
    for (let tries = 0; tries < 3; tries += 1) {
      await later();
      await round();
    }
    expect(sum()).toBe(before);
    expect(await events()).toEqual(['Prices of oci could not be read: https://list: the reply is 503']);
    const remark = 'prices could not be read anew (https://list: the reply is 503), those known so far are shown';
    expect(server.app.get(BackendEnvironments).priceRemark('oci')).toBe(remark);
    expect((await server.call('GET', '/readyz', { token: null })).body).toMatchObject({
      warnings: expect.arrayContaining([`oci: ${remark}`]) as string[],
    });
    answer(() => whole(dearer));
    await later();
    await round();
    expect(await events()).toContain('Prices of oci were read again');
    expect(server.app.get(BackendEnvironments).priceRemark('oci')).toBeNull();
  });

  it('that are hardly true are taken when an administrator says so', async () => {
    answer(() => whole(dearer.slice(0, 10)));
    await round();
    expect((await described('oci'))?.error).toMatch(/hardly true: 6017 of 6027 prices/);
    expect(oracle().size).toBe(bundled.length);
    expect((await server.post('/api/server/refresh_catalogs?cloud=aws', {})).status).toBe(400);
    expect((await server.post('/api/server/refresh_catalogs?cloud=oci&force=true', {})).status).toBe(202);
    await round();
    expect(oracle().size).toBe(10);
    expect(await described('oci')).toMatchObject({ prices: 10, error: null });
  });
});

describe('published catalogs', () => {
  let publisher: Server;
  let reply: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: string[];

  beforeAll(async () => {
    asked = [];
    publisher = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers['if-none-match'] ?? ''}`.trim());
      reply(request, response);
    });
    await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
    const { port } = publisher.address() as AddressInfo;
    await start({ ...LISTS, url: `http://127.0.0.1:${port}/prices` });
  });
  afterEach(forget);
  afterAll(async () => {
    await server.close();
    await new Promise((resolve) => publisher.close(resolve));
  });

  it('are fetched whole, and only when they are others', async () => {
    reply = (request, response) => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end(encodeCatalog(buildColumns(few)));
    };
    await round();
    await later();
    await round();
    expect(asked).toEqual(['/prices/oci.catalog', '/prices/oci.catalog "1"']);
    expect(oracle().sources).toEqual([NEW]);
    expect((await described('oci'))?.error).toBeNull();
  });

  it('come through the proxy of the environment', async () => {
    const relayed: string[] = [];
    const proxy = createServer((request, response) => {
      relayed.push(request.url ?? '');
      response.writeHead(200, { etag: '"2"' }).end(encodeCatalog(buildColumns(few)));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      const lists = new PriceLists({ catalogs: LISTS }, realWorld());
      const found = await lists.published('http://prices.test/all', 'oci', null, AbortSignal.timeout(5_000));
      expect([found?.etag, relayed]).toEqual(['"2"', ['http://prices.test/all/oci.catalog']]);
    } finally {
      delete process.env['HTTP_PROXY'];
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['are not there', (response) => response.writeHead(404).end(), /oci\.catalog: the reply is 404$/],
    ['are something else', (response) => response.end('<html>'), /cannot be decompressed/],
    [
      'break off',
      (response) => response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy()),
      /breaks off/,
    ],
  ])('that %s leave what was known', async (_what, send, error) => {
    reply = (_request, response) => send(response);
    await round();
    expect((await described('oci'))?.error).toMatch(error);
    expect(oracle()).toBe(bundledCatalog('oci'));
  });
});

describe('a stored catalog', () => {
  let serverDir: string;
  beforeAll(async () => {
    serverDir = mkdtempSync(join(tmpdir(), 'dstack-catalogs-'));
    await start(LISTS, { serverDir });
  });
  afterAll(async () => {
    await server.close();
    rmSync(serverDir, { recursive: true });
  });

  const put = (file: Buffer) =>
    server.db.write((tx) => server.app.get(CatalogStore).succeeded(tx, 'oci', { file, notes: [], etag: null }));
  const dated = (date: string) => encodeCatalog(buildColumns(few.map((row) => ({ ...row, source: { ...NEW, date } }))));

  it.each([
    ['older than the one that is installed', dated('2020-01-01')],
    ['that cannot be read', Buffer.from('no catalog')],
  ])('%s is not used', async (_what, file) => {
    await put(file);
    await server.app.get(StoredCatalogs).load();
    expect(oracle()).toBe(bundledCatalog('oci'));
    await forget();
  });

  it('is there after a restart', async () => {
    await put(dated('2099-01-01'));
    await server.close();
    await start(LISTS, { serverDir });
    expect(oracle().sources).toEqual([NEW]);
  });
});
