import { CONTRACT_OPERATIONS, resolveSchema, type ContractOperation, type JsonSchema } from '../src/http/contract.js';
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
          if (reply.status >= 500 && reply.status !== 501)
            told.push(`${operation.id}: ${place.join('.')} = ${JSON.stringify(junk).slice(0, 40)}: ${reply.status}`);
        }
      }
    }
    expect(told).toEqual([]);
  }, 60_000);
});

/** The least value a schema takes, so that what is put into it is looked at. */
function example(schema: JsonSchema, depth = 0): unknown {
  const { const: constant, enum: values, default: fallback, ...rest } = resolveSchema(schema);
  if (constant !== undefined) return constant;
  if (values !== undefined) return values[0];
  if (fallback !== undefined || depth > 6) return fallback ?? null;
  const members = rest.anyOf ?? rest.oneOf;
  if (members !== undefined) return example(members.find(({ type }) => type !== 'null') ?? {}, depth + 1);
  if (rest.properties !== undefined) {
    const fields = (rest.required ?? []).map((name) => [name, example(rest.properties?.[name] ?? {}, depth + 1)]);
    return Object.fromEntries(fields) as unknown;
  }
  if (rest.type === 'array') return [example(rest.items ?? {}, depth + 1)];
  if (rest.type === 'integer' || rest.type === 'number') return rest.minimum ?? 1;
  if (rest.type === 'boolean') return false;
  return rest.format === 'uuid' ? '00000000-0000-4000-8000-000000000000' : 'main';
}

function placesIn(schema: JsonSchema, at: readonly string[] = [], depth = 0): (readonly string[])[] {
  if (depth > 4) return [];
  const { anyOf, oneOf, properties = {}, items } = resolveSchema(schema);
  const members = [...(anyOf ?? []), ...(oneOf ?? [])].flatMap((member) => placesIn(member, at, depth + 1).slice(1));
  const fields = Object.entries(properties).flatMap(([name, field]) => placesIn(field, [...at, name], depth + 1));
  const inner = items === undefined ? [] : placesIn(items, [...at, '0'], depth + 1);
  return [at, ...members, ...fields, ...inner];
}

function put(value: unknown, [key, ...rest]: readonly string[], junk: unknown): unknown {
  if (key === undefined) return junk;
  const fields = Object.entries(typeof value === 'object' && value !== null ? value : {});
  const held = Object.fromEntries(fields) as Record<string, unknown>;
  const changed = { ...held, [key]: put(held[key], rest, junk) };
  return Array.isArray(value) ? Object.values(changed) : changed;
}
