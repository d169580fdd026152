import { CONTRACT_OPERATIONS, type ContractOperation } from '../src/http/contract.js';
import { example, placesIn, put } from './support/schema-values.js';
import { startTestServer, type Reply, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

const OPERATIONS = CONTRACT_OPERATIONS.filter(({ path }) => path.startsWith('/api/'));
const OPEN = new Set(['none', 'service_account']);
const urlOf = ({ path }: ContractOperation): string =>
  path.replace('{project_name}', 'main').replaceAll(/\{\w+\}/g, 'x');

/** What a broken or hostile client may put where anything else belongs. */
const JUNK: readonly unknown[] = [
  ...[null, true, -1, 1.5, 1e300, 2 ** 53, '', '\u0000', '\ud800', 'a'.repeat(70_000), '1e400', '../../etc/passwd'],
  ...['0001-01-01T00:00:00Z', '999999-01-01T00:00:00Z', [], [[]], [null], ['x'.repeat(300)], {}, { type: 'task' }],
];

describe.each(testDatabases())('every operation on $name', ({ location }) => {
  let server: TestServer;
  let stranger: string;
  beforeAll(async () => {
    server = await startTestServer({ database: await location(), backgroundProcessing: false, localBackend: false });
    await server.post('/api/users/create', { username: 'ann', global_role: 'user' });
    const { body } = await server.post('/api/users/get_user', { username: 'ann' });
    stranger = (body as { creds: { token: string } }).creds.token;
  });
  afterAll(() => server.close());

  const call = (operation: ContractOperation, token: string | null, body: unknown): Promise<Reply> =>
    server.call(operation.method === 'GET' ? 'GET' : 'POST', urlOf(operation), {
      token,
      ...(operation.method === 'GET' ? {} : { body }),
    });

  it('turns away who has no token, a wrong one, or no business here', async () => {
    const told: string[] = [];
    for (const operation of OPERATIONS.filter(({ access }) => !OPEN.has(access))) {
      const body = example(operation.body?.schema ?? {});
      const replies = [await call(operation, null, body), await call(operation, 'nope', body)];
      const statuses = replies.map(({ status }) => status);
      if (operation.access !== 'authenticated') {
        const reply = await call(operation, stranger, body);
        statuses.push(reply.status);
        expect({ id: operation.id, body: reply.body }).toEqual({
          id: operation.id,
          body: { detail: { msg: 'Access denied', code: null } },
        });
      }
      const expected = operation.access === 'authenticated' ? '401,403' : '401,403,403';
      if (statuses.join() !== expected) told.push(`${operation.id}: ${statuses.join()}`);
    }
    expect(told).toEqual([]);
  });

  it('answers junk in any place of a body with 4xx, or takes it', async () => {
    const told: string[] = [];
    for (const operation of OPERATIONS.filter(({ body }) => body?.mediaType === 'application/json')) {
      const schema = operation.body?.schema ?? {};
      const places = placesIn(schema).slice(0, 40);
      for (const [index, place] of places.entries()) {
        // Every place meets some of the junk, and every operation all of it several times.
        const some = JUNK.filter((_junk, number) => places.length < 8 || (number + index) % 5 === 0);
        for (const junk of some) {
          const reply = await call(operation, server.adminToken, put(example(schema), place, junk));
          if (reply.status >= 500)
            told.push(`${operation.id}: ${place.join('.')} = ${JSON.stringify(junk).slice(0, 40)}: ${reply.status}`);
        }
      }
    }
    expect(told).toEqual([]);
  }, 120_000);
});
