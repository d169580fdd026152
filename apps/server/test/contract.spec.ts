import { readFileSync } from 'node:fs';
import { difference, operationOf, operations, schemaProblem, withoutOurOwn } from './support/contract-check.js';
import { ownRequests } from './support/own-requests.js';
import { startTestServer, type Reply, type TestServer } from './support/start-test-server.js';

interface Sample {
  readonly method: 'POST' | 'GET';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly request?: unknown;
  readonly status: number;
  readonly response: unknown;
}

const data = new URL('../../../tools/contract/data/', import.meta.url);
const { samples } = JSON.parse(readFileSync(new URL('samples.json', data), 'utf8')) as { samples: Sample[] };

/** Recorded from an empty server with features this one has not got, or told apart on purpose. */
const DIFFERENT_ON_PURPOSE = new Map<string, string>([
  ['/api/events/list', 'lists what happened before in the recording; compared by shape'],
]);

describe('the contract', () => {
  let server: TestServer;
  const kept = new Set<string>();
  const notBuilt = new Set<string>();
  const mismatches: string[] = [];
  beforeAll(async () => {
    // Without background work and backends: as empty and still as the server of the recording.
    server = await startTestServer({ backgroundProcessing: false, localBackend: false });
  });
  afterAll(async () => {
    process.stdout.write(
      `contract: ${kept.size} of ${operations.length} operations, ${mismatches.length} mismatches` +
        ` (not built yet: ${[...notBuilt].join(', ')})\n`,
    );
    await server.close();
  });

  const note = (id: string, what: string, problem: string | undefined): void => {
    if (problem === undefined) kept.add(id);
    else mismatches.push(`${what}: ${problem}`);
  };

  it('is kept where it was recorded', async () => {
    for (const sample of samples) {
      const reply = await replay(server, sample);
      const id = operationOf(sample.method, sample.path)?.operationId;
      const name = `${sample.path} ${JSON.stringify(sample.request ?? null).slice(0, 120)} → ${sample.status}`;
      if (reply.status === 501) notBuilt.add(id ?? sample.path);
      else note(id ?? sample.path, name, problemOf(sample, reply, { operationId: id, whole: notBuilt.size === 0 }));
    }
    expect(mismatches).toEqual([]);
  });

  it('is kept by operations the recording lacks', async () => {
    for await (const { id, path, reply } of ownRequests(server)) {
      const problem = reply.status === 200 ? schemaProblem(id, 200, reply.body) : `${reply.status} ${reply.text}`;
      note(id, path, problem);
    }
    expect(mismatches).toEqual([]);
  });

  it('answers every other operation with 501 or as it is said', async () => {
    const rest = operations.filter(({ operationId: id, path }) => !kept.has(id) && path.startsWith('/api/'));
    for (const { operationId, method, path } of rest) {
      const url = path.replace('{project_name}', 'main').replace(/\{\w+\}/g, 'x');
      const reply = await server.call(method === 'GET' ? 'GET' : 'POST', url, { body: {} });
      // A body that is checked before an operation is found not built is a 422.
      expect({ operationId, status: [400, 403, 422, 501].includes(reply.status) || reply.status }).toEqual({
        operationId,
        status: true,
      });
      if (reply.status === 501) notBuilt.add(operationId);
    }
  });
});

interface Expectation {
  readonly operationId: string | undefined;
  /** False: an earlier request of the recording is not built, so lists may be shorter here. */
  readonly whole: boolean;
}

function problemOf(sample: Sample, reply: Reply, { operationId, whole }: Expectation): string | undefined {
  if (reply.status !== sample.status) return `status ${reply.status}, body ${reply.text.slice(0, 300)}`;
  const problem = schemaProblem(operationId, reply.status, reply.body);
  if (problem !== undefined) return problem;
  const body = withoutOurOwn(reply.body);
  if (DIFFERENT_ON_PURPOSE.has(sample.path) || (!whole && Array.isArray(body))) return undefined;
  return difference(sample.response, body);
}

async function replay(server: TestServer, sample: Sample): Promise<Reply> {
  const invalid = sample.headers?.['Authorization'] !== undefined;
  return server.call(sample.method, sample.path, {
    ...(sample.request === undefined ? {} : { body: sample.request }),
    ...(invalid ? { token: 'invalid' } : {}),
    headers: Object.fromEntries(Object.entries(sample.headers ?? {}).filter(([name]) => name !== 'Authorization')),
  });
}
