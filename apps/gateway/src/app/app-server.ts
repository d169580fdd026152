import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type AppRoute,
  KEPT_HEADER,
  PROJECT_HEADER,
  REFUSED_HEADER,
  ROUTE_HEADER,
  SERVICE_HEADER,
  VERIFIED_HEADER,
} from '../nginx/app-routes.js';
import type { AccessAnswer } from '../access/who-may-ask.js';

export interface AppAnswers {
  /** Whether a request with this credential may go on to a service; null: there is no such service. */
  access(serviceId: string, authorization: string | undefined): AccessAnswer | null;
  /** What to answer the authority; undefined: it is no challenge of this gateway's. */
  challenge(token: string): string | undefined;
  models(project: string, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** What nginx asks this program about, over a socket of its own. */
export class AppServer {
  readonly server: Server;

  constructor(private readonly answers: AppAnswers) {
    this.server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, (request, response) => {
      this.answer(request, response);
    });
  }

  /** Another program of this gateway answers from now on. */
  async handOver(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections();
    await closed;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    // Set by nginx, whatever the client has sent.
    switch (header(request, ROUTE_HEADER) as AppRoute | undefined) {
      case 'access':
        return this.access(request, response);
      case 'challenge':
        return this.challenge(request, response);
      case 'models': {
        const project = decodeURIComponent(header(request, PROJECT_HEADER) ?? '');
        this.answers.models(project, request, response).catch(() => {
          if (response.headersSent) response.destroy();
          else response.writeHead(500, { connection: 'close' }).end();
        });
        return;
      }
      case undefined:
        response.writeHead(404).end();
    }
  }

  private access(request: IncomingMessage, response: ServerResponse): void {
    const answer = this.answers.access(header(request, SERVICE_HEADER) ?? '', request.headers.authorization);
    if (answer === null) return void response.writeHead(403).end();
    const { decision, keptSeconds } = answer;
    if (decision.kind === 'refused') return void response.writeHead(403, { [REFUSED_HEADER]: decision.why }).end();
    const verified = decision.dropsCredential ? { [VERIFIED_HEADER]: '1' } : {};
    const kept = keptSeconds > 0 ? { [KEPT_HEADER]: String(keptSeconds) } : {};
    response.writeHead(204, { ...verified, ...kept }).end();
  }

  private challenge(request: IncomingMessage, response: ServerResponse): void {
    const token = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]+)$/.exec(request.url ?? '')?.[1];
    const answer = token === undefined ? undefined : this.answers.challenge(token);
    if (answer === undefined) response.writeHead(404, { 'content-type': 'text/plain' }).end();
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer);
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()];
  return typeof value === 'string' ? value : undefined;
}
