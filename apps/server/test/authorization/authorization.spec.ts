import { CONTRACT_OPERATIONS, type ContractOperation } from '../../src/http/contract.js';
import { routePath } from '../../src/http/operation.decorator.js';
import { example } from '../support/schema-values.js';
import { startTestServer, type Reply, type TestServer } from '../support/start-test-server.js';
import { EXISTENCE_IS_KNOWN, EXPECTED, type Row } from './expected.js';
import { type Prepare, REQUESTS, type Subject, VARIANTS } from './requests.js';
import { ROLES, type Role, Scene } from './scene.js';
import { servedRoutes } from './served-routes.js';

const SUBJECTS = ['own', 'foreign', 'missing'] as const;

let server: TestServer;
let scene: Scene;
beforeAll(async () => {
  process.env['DSTACK_PROMETHEUS_AUTH_TOKEN'] = 'of-prometheus';
  server = await startTestServer({ backgroundProcessing: false, localBackend: false, prometheusMetrics: true });
  scene = await Scene.prepare(server);
});
afterAll(async () => {
  delete process.env['DSTACK_PROMETHEUS_AUTH_TOKEN'];
  await server.close();
});

const routeOf = (operation: ContractOperation): string =>
  `${operation.method} ${routePath(operation)}`.replace('/*', '*');
const operationOf = (route: string): ContractOperation | undefined =>
  CONTRACT_OPERATIONS.find((operation) => routeOf(operation) === route);

/** The framework answers HEAD wherever it answers GET, by the same handler and after the same checks. */
function routes(): string[] {
  const all = servedRoutes(server);
  const isTwin = (route: string): boolean =>
    route.startsWith('HEAD ') && operationOf(route) === undefined && all.includes(route.replace('HEAD', 'GET'));
  return all.filter((route) => !isTwin(route));
}

interface Case {
  readonly name: string;
  readonly route: string;
  readonly prepare: Prepare;
}

function cases(): Case[] {
  const ofRoutes = routes().map((route) => {
    const operation = operationOf(route);
    const smallest: Prepare = async (_scene, subject) =>
      subject === 'own' ? { body: example(operation?.body?.schema ?? {}) } : undefined;
    return { name: operation?.id ?? route, route, prepare: REQUESTS[operation?.id ?? route] ?? smallest };
  });
  const variants = Object.entries(VARIANTS).map(([name, prepare]) => {
    const route = ofRoutes.find((known) => known.name === name.split(' ')[0])?.route ?? '';
    return { name, route, prepare };
  });
  return [...ofRoutes, ...variants];
}

interface Answer {
  readonly status: number;
  /** Without the name that was asked for. */
  readonly text: string;
}

async function ask({ route, prepare }: Case, role: Role, subject: Subject): Promise<Answer | undefined> {
  const prepared = await prepare(scene, subject, role);
  if (prepared === undefined) return undefined;
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern
    .replace('*', '/x')
    .replace(':project_name', 'team')
    .replaceAll(/:(\w+)/g, (_match, name: string) => prepared.path?.[name] ?? 'x');
  const { body, headers = {}, about } = prepared;
  const reply: Reply = await server.call(method as 'GET', `${path}${prepared.search ?? ''}`, {
    token: scene.token(role),
    headers,
    ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }),
  });
  if (route.endsWith('refresh_token')) await scene.readTokens();
  await scene.reset();
  return {
    status: reply.status,
    text: [about ?? []].flat().reduce((text, name) => text.replaceAll(name, '…'), reply.text),
  };
}

it('has every route of the router, and every operation of the contract', () => {
  const names = cases().map(({ name }) => name);
  expect(Object.keys(EXPECTED).sort()).toEqual(names.sort());
  expect(CONTRACT_OPERATIONS.map(({ id }) => id).filter((id) => !names.includes(id))).toEqual([]);
});

/** A project knows which exports it is given; of what else there is in the project that gives them it hears nothing. */
function tellsOfHidden(text: string): boolean {
  return text.replaceAll(/Import hidden-project\/hidden-\d+ (added|deleted)/g, '').includes('hidden');
}

it('answers every role as the matrix says, and tells nobody what is in a project of others', async () => {
  const matrix: Record<string, Row> = {};
  const leaks: string[] = [];
  for (const each of cases()) {
    const answers = new Map<Subject, (Answer | undefined)[]>();
    for (const subject of SUBJECTS) {
      const row: (Answer | undefined)[] = [];
      for (const role of ROLES) row.push(await ask(each, role, subject));
      answers.set(subject, row);
    }
    matrix[each.name] = SUBJECTS.map((subject) =>
      (answers.get(subject) ?? [])
        .map((answer) => answer?.status ?? '')
        .join(' ')
        .trim(),
    );
    ROLES.forEach((role, index) => {
      if (role === 'global admin') return;
      const [own, foreign, missing] = SUBJECTS.map((subject) => answers.get(subject)?.[index]);
      const told = [own, foreign, missing].some((answer) => answer !== undefined && tellsOfHidden(answer.text));
      if (told) leaks.push(`${each.name}: ${role} is told of something hidden: ${foreign?.text ?? own?.text ?? ''}`);
      if (
        foreign !== undefined &&
        missing !== undefined &&
        !EXISTENCE_IS_KNOWN.has(each.name) &&
        foreign.text !== missing.text
      )
        leaks.push(`${each.name}: ${role} can tell what is there from what is not: ${foreign.text} / ${missing.text}`);
    });
  }
  expect(leaks).toEqual([]);
  expect(matrix).toEqual(EXPECTED);
}, 60_000);
