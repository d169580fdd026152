import { readFileSync } from 'node:fs';
import type { Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { CONTRACT_OPERATIONS, type OperationId } from '../src/http/contract.js';
import { operationsOf } from '../src/http/not-built.controller.js';
import { difference, operationOf, operations, schemaProblem, withoutOurOwn } from '@dstack/contract-tools';
import { ownRequests } from './support/own-requests.js';
import { example } from './support/schema-values.js';
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

/** Their bodies are the clouds' of the contract, of which none is built; `local` is not among them. */
const NEED_A_CLOUD = ['project_backends_create', 'project_backends_update', 'project_backends_config_info'];

/** Kept in sign-in.spec and ssh-upstream.spec: they need a provider, or a job that runs. */
const TRIED_ELSEWHERE = ['auth_get_next_redirect', 'sshproxy_get_upstream', 'auth_authorize', 'auth_callback'];

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

  it('is kept by every operation that is built; 501 is the answer of the others', async () => {
    const unbuilt = new Set<string>(notBuiltOperations(server));
    const ofApi = CONTRACT_OPERATIONS.filter(({ path }) => path.startsWith('/api/'));
    const untried = ofApi.map(({ id }) => id).filter((id) => !unbuilt.has(id) && !kept.has(id));
    expect(untried.sort()).toEqual([...NEED_A_CLOUD, ...TRIED_ELSEWHERE].sort());
    for (const { id, method, path, body } of ofApi.filter((operation) => unbuilt.has(operation.id))) {
      notBuilt.add(id);
      const url = path.replace('{project_name}', 'main').replaceAll(/\{\w+\}/g, 'x');
      const options = { body: example(body?.schema ?? {}) };
      const reply = await server.call(method === 'GET' ? 'GET' : 'POST', url, options);
      // The checks that come before: closed where no service token is set; a body that only looks right.
      if (!path.startsWith('/api/sshproxy/') && reply.status !== 422)
        expect([id, reply.status, reply.body]).toEqual([
          id,
          501,
          { detail: [{ msg: expect.stringContaining(id) as unknown, code: 'error' }] },
        ]);
    }
  });
});

function notBuiltOperations(server: TestServer): OperationId[] {
  const modules = [...server.app.get(ModulesContainer).values()];
  const controllers = modules.flatMap((module) => [...module.controllers.values()].map(({ metatype }) => metatype));
  return controllers
    .filter((controller) => controller?.name === 'NotBuiltController')
    .flatMap((controller) => operationsOf(controller as Type));
}

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
