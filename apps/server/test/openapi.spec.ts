import { readFileSync } from 'node:fs';
import { startTestServer, type TestServer } from './support/start-test-server.js';

type Content = Record<string, { readonly schema: unknown }>;
interface Described {
  readonly operationId?: string;
  readonly requestBody?: { readonly content: Content };
  readonly responses: Record<string, { readonly content?: Content }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Described>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

const contract = JSON.parse(
  readFileSync(new URL('../../../tools/contract/data/rest-api.json', import.meta.url), 'utf8'),
) as Document;
let server: TestServer;
let served: Document;

beforeAll(async () => {
  server = await startTestServer();
  served = (await server.call('GET', '/api/docs/openapi.json', { token: null })).body as Document;
});
afterAll(() => server.close());

it('describes each schema as the types of the SDK were generated from it', () => {
  expect(served.components.schemas).toMatchObject(contract.components.schemas);
});

it('says of each operation that it takes and gives what the contract says', () => {
  const byId = operationsById(served);
  let compared = 0;
  for (const [id, expected] of operationsById(contract)) {
    const own = byId.get(id);
    if (own === undefined) continue; // not built: the contract test lists those
    compared += 1;
    expect([id, jsonOf(own.requestBody?.content), jsonOf(own.responses['200']?.content)]).toEqual([
      id,
      jsonOf(expected.requestBody?.content),
      jsonOf(expected.responses['200']?.content),
    ]);
  }
  expect(compared).toBeGreaterThan(50);
});

function operationsById({ paths }: Document): Map<string, Described> {
  const all = Object.values(paths).flatMap((methods) => Object.values(methods));
  return new Map(all.flatMap((operation) => (operation.operationId ? [[operation.operationId, operation]] : [])));
}

/** The schema of a JSON body; one that allows everything says nothing, as does a missing one. */
function jsonOf(content: Content | undefined): unknown {
  const schema = content?.['application/json']?.schema;
  return typeof schema === 'object' && schema !== null && Object.keys(schema).length === 0 ? undefined : schema;
}
