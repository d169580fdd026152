import { CONTRACT_OPERATIONS, type ContractOperation } from '../../src/http/contract.js';
import { routePath } from '../../src/http/operation.decorator.js';
import { example } from '../support/schema-values.js';
import { startTestServer, type Reply, type TestServer } from '../support/start-test-server.js';
import { EXPECTED } from './expected.js';
import { type Object, type Prepared, REQUESTS } from './requests.js';
import { ROLES, type Role, Scene } from './scene.js';
import { servedRoutes } from './served-routes.js';

/** Several roles share nothing; each gets its own things. */
const OBJECTS = ['own', 'foreign', 'missing'] as const;

let server: TestServer;
let scene: Scene;
beforeAll(async () => {
  server = await startTestServer({ backgroundProcessing: false, localBackend: false, prometheusMetrics: true });
  scene = await Scene.prepare(server);
});
afterAll(() => server.close());

const operationOf = (route: string): ContractOperation | undefined =>
  CONTRACT_OPERATIONS.find((operation) => `${operation.method} ${routePath(operation)}`.replace('/*', '*') === route);

async function ask(route: string, role: Role, object: Object): Promise<{ reply: Reply; about?: string } | undefined> {
  const operation = operationOf(route);
  const prepare = REQUESTS[operation?.id ?? route];
  const prepared: Prepared | undefined =
    prepare === undefined
      ? object === 'own'
        ? { body: example(operation?.body?.schema ?? {}) }
        : undefined
      : await prepare(scene, object, role);
  if (prepared === undefined) return undefined;
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern
    .replace('*', '/x')
    .replace(':project_name', 'team')
    .replaceAll(/:(\w+)/g, (_match, name: string) => prepared.path?.[name] ?? 'x');
  const { body, headers = {}, about } = prepared;
  const reply = await server.call(method as 'GET', `${path}${prepared.search ?? ''}`, {
    token: scene.token(role),
    headers,
    ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }),
  });
  if (route.endsWith('refresh_token')) await scene.readTokens();
  await scene.resetMembers();
  return { reply, ...(about === undefined ? {} : { about }) };
}

const routes = (): string[] => {
  const all = servedRoutes(server);
  // The framework answers HEAD wherever it answers GET, by the same handler and the same checks.
  return all.filter(
    (route) =>
      !(route.startsWith('HEAD ') && operationOf(route) === undefined && all.includes(route.replace('HEAD', 'GET'))),
  );
};

it('every route is in the matrix, and the matrix has no other', () => {
  expect(Object.keys(EXPECTED).sort()).toEqual(routes().sort());
});

it('print', async () => {
  const out: string[] = [];
  for (const route of routes()) {
    const row: Record<string, string[]> = { own: [], foreign: [], missing: [] };
    for (const role of ROLES)
      for (const object of OBJECTS) {
        const asked = await ask(route, role, object);
        if (asked) row[object]!.push(String(asked.reply.status));
      }
    out.push(
      `'${route}': ['${row['own']!.join(' ')}', '${row['foreign']!.join(' ')}', '${row['missing']!.join(' ')}'],`,
    );
  }
  process.stdout.write(out.join('\n') + '\n');
});
