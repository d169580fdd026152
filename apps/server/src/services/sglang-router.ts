import { GRPC_WORKER_APIS, type ListedWorker, workerInfo, type WorkerInfo } from '@dstack/core';
import { z } from 'zod';
import { type GrpcAnswer, GRPC_UNAVAILABLE, GRPC_UNIMPLEMENTED } from './grpc-call.js';
import type { ProbeTarget } from './probe-asker.js';
import type { ReplicaAnswer, ReplicaHttp } from './replica-http.js';

const KIB = 1024;
const LONGEST_MS = 10_000;
const LONGEST_GRPC_MS = 30_000;
const INFO_BYTES = 256 * KIB;
const MOST_WORKERS = 8192;

/** A router or worker did not answer as its API says. */
export class RouterAnswerError extends Error {
  override readonly name = 'RouterAnswerError';
}

const workerList = z.object({ workers: z.array(z.object({ id: z.string(), url: z.string() })).max(MOST_WORKERS) });

/** The control API of SGLang's router, and what its workers tell of themselves. */
export class SglangRouter {
  constructor(
    private readonly http: ReplicaHttp,
    private readonly stop: AbortSignal,
  ) {}

  async list(router: ProbeTarget): Promise<ListedWorker[]> {
    const answer = await this.ask(router, { method: 'GET', path: '/workers', maxBytes: 2048 * KIB });
    return workerList.parse(json(expectStatus(answer, [200], 'GET /workers'))).workers;
  }

  /** It is taken up later, when the router has reached it. */
  async add(router: ProbeTarget, address: string, { kind, protocol, bootstrapPort }: WorkerInfo): Promise<void> {
    const url = `${protocol}://${address}`;
    const body = { url, worker_type: kind, ...(bootstrapPort === null ? {} : { bootstrap_port: bootstrapPort }) };
    const answer = await this.ask(router, { method: 'POST', path: '/workers', body, maxBytes: 64 * KIB });
    expectStatus(answer, [200, 201, 202], 'POST /workers');
  }

  async remove(router: ProbeTarget, { id }: ListedWorker): Promise<void> {
    const path = `/workers/${encodeURIComponent(id)}`;
    const answer = await this.ask(router, { method: 'DELETE', path, maxBytes: 64 * KIB });
    expectStatus(answer, [200, 202, 204, 404], 'DELETE /workers/…');
  }

  /** Null: it is not ready yet. */
  async info(worker: ProbeTarget): Promise<WorkerInfo | null> {
    try {
      return await this.infoByHttp(worker);
    } catch (error) {
      if (this.stop.aborted || error instanceof RouterAnswerError) throw error;
      // What is no HTTP may be gRPC; where nobody listens both say so.
      return this.infoByGrpc(worker).catch((second: unknown) => {
        throw second instanceof RouterAnswerError ? second : error;
      });
    }
  }

  private async infoByGrpc(worker: ProbeTarget): Promise<WorkerInfo | null> {
    const signal = AbortSignal.any([this.stop, AbortSignal.timeout(LONGEST_GRPC_MS)]);
    for (const { method, read } of GRPC_WORKER_APIS) {
      const answer: GrpcAnswer = await this.http.call(worker, { method, maxBytes: INFO_BYTES }, signal);
      if (answer.message !== null) return read(answer.message);
      if (answer.status === GRPC_UNAVAILABLE) return null;
      if (answer.status !== GRPC_UNIMPLEMENTED)
        throw new RouterAnswerError(`${method} was answered with ${answer.status}: ${answer.text}`);
    }
    throw new RouterAnswerError('the worker speaks gRPC, but neither as SGLang nor as vLLM');
  }

  private async infoByHttp(worker: ProbeTarget): Promise<WorkerInfo | null> {
    const now = await this.ask(worker, { method: 'GET', path: '/server_info', maxBytes: INFO_BYTES });
    // As older versions call it.
    const answer =
      now.status === 404
        ? await this.ask(worker, { method: 'GET', path: '/get_server_info', maxBytes: INFO_BYTES })
        : now;
    return workerInfo(z.record(z.string(), z.unknown()).parse(json(expectStatus(answer, [200], 'GET /server_info'))));
  }

  private ask(target: ProbeTarget, question: Parameters<ReplicaHttp['ask']>[1]): Promise<ReplicaAnswer> {
    return this.http.ask(target, question, AbortSignal.any([this.stop, AbortSignal.timeout(LONGEST_MS)]));
  }
}

function expectStatus(answer: ReplicaAnswer, expected: readonly number[], what: string): string {
  if (expected.includes(answer.status)) return answer.text;
  throw new RouterAnswerError(`${what} was answered with ${answer.status}: ${answer.text.slice(0, 300)}`);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RouterAnswerError('the answer is no JSON');
  }
}
