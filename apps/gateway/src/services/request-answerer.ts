import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { forwardRequest, forwardUpgrade, NotReadyError, type Outcome, passedHeaders } from '@dstack/proxy';
import type { LiveService } from './live-service.js';
import { NOT_READY, plainAnswer, type PlainReply, UNREACHABLE, TOO_LATE } from './plain-answer.js';

type Served = Pick<LiveService, 'service' | 'replicas' | 'isHandedOver' | 'whenReady' | 'count'>;

/** Answers what nginx passes on to one service, with what its replicas say. */
export class RequestAnswerer {
  constructor(
    private readonly served: Served,
    private readonly now: () => number,
  ) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { served } = this;
    const startedAt = this.now();
    const exchange = {
      request,
      response,
      path: request.url ?? '/',
      headers: passedHeaders(request.rawHeaders),
      maxBodyBytes: null,
    };
    for (;;) {
      const refusal = served.replicas.isEmpty ? await this.waiting(response, startedAt) : null;
      if (refusal === 'gone') return;
      if (refusal !== null) {
        served.count(null, this.now() - startedAt, refusal.status);
        return refuse(response, refusal);
      }
      const { isHandedOver } = served;
      // The next one goes where nginx finds the other program.
      if (isHandedOver) response.shouldKeepAlive = false;
      const outcome = await forwardRequest(exchange, served.replicas, this.now);
      // It went just now.
      if (outcome.kind === 'no-replica') continue;
      // The other program counts it.
      if (!isHandedOver) this.count(outcome, startedAt);
      return this.conclude(outcome, response);
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { served } = this;
    const startedAt = this.now();
    socket.on('error', () => socket.destroy());
    const path = request.url ?? '/';
    const answerMs = served.service.answerSeconds * 1000;
    const exchange = { request, socket, head, path, headers: passedHeaders(request.rawHeaders), answerMs };
    for (;;) {
      const refusal = served.replicas.isEmpty ? await this.waiting(socket, startedAt) : null;
      if (refusal === 'gone') return;
      const isCounted = !served.isHandedOver;
      const count = (group: string | null, status: number): void => {
        if (isCounted) served.count(group, this.now() - startedAt, status);
      };
      if (refusal !== null) {
        count(null, refusal.status);
        return void socket.end(plainAnswer(refusal));
      }
      const outcome = await forwardUpgrade(exchange, served.replicas, this.now);
      switch (outcome.kind) {
        case 'no-replica':
          continue;
        case 'open':
          // It stays open for as long as its two ends like.
          return count(outcome.group, 101);
        case 'refused':
          return count(outcome.group, outcome.status);
        case 'failed':
          count(outcome.group, UNREACHABLE.status);
          return void socket.end(plainAnswer(UNREACHABLE));
      }
    }
  }

  /** Null: there is a replica. */
  private async waiting(client: ServerResponse | Duplex, since: number): Promise<PlainReply | 'gone' | null> {
    const gone = new AbortController();
    const abort = (): void => gone.abort(new Error('the client has gone'));
    client.once('close', abort);
    try {
      await this.served.whenReady(gone.signal, since);
      return null;
    } catch (error) {
      return error instanceof NotReadyError ? NOT_READY : 'gone';
    } finally {
      client.off('close', abort);
    }
  }

  private count(outcome: Outcome, startedAt: number): void {
    const ms = this.now() - startedAt;
    switch (outcome.kind) {
      case 'answered':
        return this.served.count(outcome.group, ms, outcome.status);
      case 'client-gone':
        return this.served.count(outcome.asked ?? null, ms, null);
      case 'too-late':
        return this.served.count(outcome.group, ms, TOO_LATE.status);
      case 'unreachable':
      case 'broken-off':
        return this.served.count(outcome.group, ms, UNREACHABLE.status);
      case 'no-replica':
      case 'too-large':
        return undefined;
    }
  }

  private conclude({ kind }: Outcome, response: ServerResponse): void {
    switch (kind) {
      case 'answered':
      case 'client-gone':
        return undefined;
      case 'too-late':
        return refuse(response, TOO_LATE);
      default:
        return refuse(response, UNREACHABLE);
    }
  }
}

function refuse(response: ServerResponse, { status, detail, headers }: PlainReply): void {
  if (response.headersSent || response.destroyed) return;
  // What is left of the request is not read.
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close', ...headers });
  response.end(JSON.stringify({ detail }));
}
