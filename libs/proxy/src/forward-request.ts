import type { ServerResponse } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import { type FailedAt, mayRetry } from './balance/may-retry.js';
import { type Exchange, failureKind, type Outcome } from './exchange.js';
import { rawHeaderList, responseHeaders } from './headers/response-headers.js';
import { type Replica, ReplicaUnreachableError } from './replica.js';
import type { ReplicaSet } from './replica-set.js';
import { BodyTooLargeError, type RequestBody, takeBody } from './request-body.js';

/** So many replicas are asked for one request. */
const MOST_TRIES = 3;

/** Passes a request to a replica and its answer back, as both come, at the pace of the slower side. */
export async function forwardRequest(
  exchange: Exchange,
  replicas: ReplicaSet,
  now: () => number = Date.now,
): Promise<Outcome> {
  const { request, response } = exchange;
  let body: RequestBody;
  try {
    body =
      exchange.body === undefined
        ? await takeBody(request, exchange.maxBodyBytes)
        : { kind: 'kept', bytes: exchange.body };
  } catch (error) {
    if (error instanceof BodyTooLargeError) return { kind: 'too-large', limit: error.limit };
    return { kind: 'client-gone' };
  }
  const tried = new Set<string>();
  let last: Outcome = { kind: 'no-replica' };
  while (tried.size < MOST_TRIES) {
    const replica = replicas.pick(tried);
    if (replica === null) return last;
    tried.add(replica.id);
    const result = await send(exchange, replica, body);
    if (result.ok) {
      replica.answered();
      return { kind: 'answered', status: result.status, group: replica.group };
    }
    if (response.destroyed || request.socket.destroyed) return { kind: 'client-gone', asked: replica.group };
    const { failedAt, error } = result;
    if (error instanceof BodyTooLargeError) return { kind: 'too-large', limit: error.limit };
    if (failedAt === 'answered') {
      // The client has a part of it: that it ends early is all that it can be told.
      response.destroy();
      return { kind: 'answered', status: response.statusCode, group: replica.group };
    }
    replica.failed(now(), error.message);
    last = { kind: failureKind(failedAt, error), message: error.message, group: replica.group };
    if (last.kind === 'too-late' || !mayRetry(request.method ?? 'GET', failedAt, body.kind !== 'stream')) return last;
  }
  return last;
}

type Sent =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly failedAt: FailedAt; readonly error: Error };

async function send(exchange: Exchange, replica: Replica, body: RequestBody): Promise<Sent> {
  replica.begin();
  try {
    return await dispatch(exchange, await replica.pool, body);
  } finally {
    replica.end();
  }
}

function dispatch(exchange: Exchange, pool: Pool, body: RequestBody): Promise<Sent> {
  const { request, response } = exchange;
  return new Promise<Sent>((resolve) => {
    const handler = new AnswerHandler(exchange, resolve);
    pool.dispatch(
      {
        path: exchange.path,
        method: request.method ?? 'GET',
        headers: [...exchange.headers],
        body: body.kind === 'none' ? null : body.kind === 'kept' ? body.bytes : body.stream,
      },
      handler,
    );
    if (response.destroyed) handler.clientGone();
    else response.once('close', handler.clientGone);
  });
}

class AnswerHandler implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | null = null;
  private isBegun = false;
  private isClientGone = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly settle: (sent: Sent) => void,
  ) {}

  readonly clientGone = (): void => {
    if (this.exchange.response.writableFinished) return;
    this.isClientGone = true;
    this.controller?.abort(new Error('the client has gone'));
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.isClientGone) controller.abort(new Error('the client has gone'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusMessage?: string,
  ): void {
    // What comes before the answer is between the replica and this proxy.
    if (status < 200) return;
    const { response, addedHeaders } = this.exchange;
    this.isBegun = true;
    if (response.destroyed) return;
    const headers = responseHeaders(rawHeaderList(controller.rawHeaders), addedHeaders);
    response.writeHead(status, statusMessage ?? '', headers);
    // A stream whose first word is late has begun nevertheless.
    if (!hasLength(headers)) response.flushHeaders();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.exchange;
    if (response.write(chunk)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    const { response } = this.exchange;
    this.over(response);
    response.end();
    this.settle({ ok: true, status: response.statusCode });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.over(this.exchange.response);
    const failedAt = this.isBegun ? 'answered' : error instanceof ReplicaUnreachableError ? 'connect' : 'sent';
    this.settle({ ok: false, failedAt, error });
  }

  private over(response: ServerResponse): void {
    response.off('close', this.clientGone);
  }
}

function hasLength(headers: readonly string[]): boolean {
  return headers.some((each, index) => index % 2 === 0 && each.toLowerCase() === 'content-length');
}
