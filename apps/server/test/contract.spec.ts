import { readFileSync } from 'node:fs';
import type { Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { CONTRACT_OPERATIONS, type OperationId } from '../src/http/contract.js';
import { OPERATION, type OperationMetadata } from '../src/http/operation.decorator.js';
import { PROXY_OPERATIONS } from '../src/services/proxy/proxy-routes.js';
import { difference, operationOf, operations, schemaProblem, withoutOurOwn } from '@dstack/contract-tools';
import { PROVEN_ELSEWHERE } from './support/proven-elsewhere.js';
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
  const mismatches: string[] = [];
  beforeAll(async () => {
    // Without background work and backends: as empty and still as the server of the recording.
    server = await startTestServer({
      backgroundProcessing: false,
      localBackend: false,
      backendEndpoints: { lambda: 'http://127.0.0.1:1' },
    });
  });
  afterAll(async () => {
    process.stdout.write(
      `contract: ${kept.size} of ${operations.length} operations here, ${Object.keys(PROVEN_ELSEWHERE).length} in tests of their own, ${mismatches.length} mismatches\n`,
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
      const problem = problemOf(sample, reply, id);
      // That it is refused is no proof that it works.
      if (problem !== undefined || sample.status === 200) note(id ?? sample.path, name, problem);
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

  it('has a route for every operation', () => {
    const routed = [...controllersOf(server).flatMap(operationsOf), ...PROXY_OPERATIONS];
    expect(routed.sort()).toEqual(CONTRACT_OPERATIONS.map(({ id }) => id).sort());
  });

  it.each(
    CONTRACT_OPERATIONS.map(
      ({ method, path, id }) => [method, path, id, PROVEN_ELSEWHERE[id]?.spec ?? 'here'] as const,
    ),
  )('%s %s (%s) is proven: %s', (_method, _path, id) => {
    const elsewhere = PROVEN_ELSEWHERE[id];
    expect(kept.has(id)).toBe(elsewhere === undefined);
    if (elsewhere !== undefined)
      expect(readFileSync(new URL(elsewhere.spec, import.meta.url), 'utf8')).toContain(elsewhere.by);
  });
});

function controllersOf(server: TestServer): Type[] {
  const modules = [...server.app.get(ModulesContainer).values()];
  return modules.flatMap((module) =>
    [...module.controllers.values()].flatMap(({ metatype }) =>
      typeof metatype === 'function' ? [metatype as Type] : [],
    ),
  );
}

function operationsOf(controller: Type): OperationId[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = name === 'constructor' ? undefined : prototype[name];
    if (typeof handler !== 'function') return [];
    const metadata = Reflect.getMetadata(OPERATION, handler) as OperationMetadata | undefined;
    return metadata === undefined ? [] : [metadata.id];
  });
}

function problemOf(sample: Sample, reply: Reply, operationId: string | undefined): string | undefined {
  if (reply.status !== sample.status) return `status ${reply.status}, body ${reply.text.slice(0, 300)}`;
  const problem = schemaProblem(operationId, reply.status, reply.body);
  if (problem !== undefined) return problem;
  const body = withoutOurOwn(reply.body);
  if (DIFFERENT_ON_PURPOSE.has(sample.path)) return undefined;
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
