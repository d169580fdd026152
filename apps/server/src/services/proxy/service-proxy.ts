import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { forwardRequest, forwardUpgrade, NotReadyError, type Outcome, requestHeaders } from '@dstack/proxy';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { WORLD, type World } from '../../world/world.js';
import { clientAddress, isTrustedProxy } from './client-address.js';
import type { LiveService } from './live-service.js';
import { LiveServices } from './live-services.js';
import { outcomeReply, type ProxyReply, REPLIES } from './proxy-reply.js';
import { ServiceAccess } from './service-access.js';
import { parseServicePath, type ServicePath, withSlash } from './service-path.js';

/** Pages of services get an origin of their own, so that they cannot act as this server's pages. */
const SANDBOX = [
  'Content-Security-Policy',
  'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts',
];

type ProxySettings = Pick<ServerSettings, 'url' | 'serviceAnswerMs' | 'forwardedAllowIps' | 'servicesShareOrigin'>;

interface Admitted {
  readonly service: LiveService;
  /** For the replica. */
  readonly path: string;
  readonly headers: readonly string[];
}

/** `/proxy/services/<project>/<run>/…`: services without a gateway, on this server's own address. */
@Injectable()
export class ServiceProxy {
  private readonly protocol: 'http' | 'https';

  constructor(
    @Inject(LiveServices) private readonly services: LiveServices,
    @Inject(ServiceAccess) private readonly access: ServiceAccess,
    @Inject(SETTINGS) private readonly settings: ProxySettings,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.protocol = settings.url.startsWith('https:') ? 'https' : 'http';
  }

  /** Answers every request, whatever becomes of it. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.forward(request, response).catch((): ProxyReply => REPLIES.failed);
    if (reply === null || response.headersSent || response.destroyed) return;
    const body = JSON.stringify({ detail: reply.detail });
    response.writeHead(reply.status, { ...reply.headers, 'content-type': 'application/json', connection: 'close' });
    response.end(body);
  }

  /** The same for what is to become a WebSocket. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const reply = await this.forwardSocket(request, socket, head).catch((): ProxyReply => REPLIES.failed);
    if (reply === null || socket.destroyed) return;
    const body = JSON.stringify({ detail: reply.detail });
    const length = Buffer.byteLength(body);
    socket.end(
      `HTTP/1.1 ${reply.status} ${reply.title}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
    );
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<ProxyReply | null> {
    const target = request.url ?? '/';
    const path = parseServicePath(target);
    if (path?.rest === null) return { ...REPLIES.moved, headers: { location: withSlash(target) } };
    const admitted = await this.admit(request, path);
    if ('status' in admitted) return admitted;
    const startedAt = this.world.clock.now();
    const service = await this.whenReady(admitted.service, response);
    if ('status' in service) return service;
    const outcome = await forwardRequest(
      {
        request,
        response,
        path: admitted.path,
        headers: admitted.headers,
        addedHeaders: this.settings.servicesShareOrigin ? [] : SANDBOX,
        maxBodyBytes: null,
      },
      service.replicas,
      () => this.world.clock.now(),
    );
    this.count(service, outcome, startedAt);
    return outcomeReply(outcome);
  }

  private async forwardSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<ProxyReply | null> {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return REPLIES.otherProtocol;
    const admitted = await this.admit(request, parseServicePath(request.url ?? '/'));
    if ('status' in admitted) return admitted;
    const startedAt = this.world.clock.now();
    const service = await this.whenReady(admitted.service, socket);
    if ('status' in service) return service;
    const { path, headers } = admitted;
    const exchange = { request, socket, head, path, headers, answerMs: this.settings.serviceAnswerMs };
    const outcome = await forwardUpgrade(exchange, service.replicas, () => this.world.clock.now());
    if (outcome.kind === 'no-replica') return REPLIES.noReplica;
    service.answered(outcome.group, this.world.clock.now() - startedAt);
    return outcome.kind === 'failed' ? REPLIES.unreachable : null;
  }

  /** Whether the request may go on, and what of it. The dstack token has done its work here: no replica sees it. */
  private async admit(request: IncomingMessage, path: ServicePath | null): Promise<Admitted | ProxyReply> {
    if (path === null || path.rest === null) return REPLIES.unknown;
    const visitor = await this.access.visitor(request.headers.authorization, path.project);
    const service = await this.services.find(path.project, path.run);
    // Who is no member learns nothing of what there is, but for services that are open to all.
    if (visitor !== 'member' && (service === null || service.found.auth)) return REPLIES.forbidden;
    if (service === null) return REPLIES.unknown;
    const { stripPrefix } = service.found;
    const headers = requestHeaders(request.rawHeaders, {
      clientAddress: clientAddress(request),
      protocol: this.protocol,
      prefix: stripPrefix ? path.prefix : '',
      isTrusted: isTrustedProxy(request.socket.remoteAddress ?? '', this.settings.forwardedAllowIps),
      dropAuthorization: visitor !== 'unknown',
    });
    return { service, path: stripPrefix ? path.rest : `${path.prefix}${path.rest}`, headers };
  }

  /** The service once it has a replica; who asks may go meanwhile. */
  private async whenReady(service: LiveService, client: ServerResponse | Duplex): Promise<LiveService | ProxyReply> {
    if (!service.replicas.isEmpty) return service;
    const gone = new AbortController();
    const abort = (): void => gone.abort(new Error('the client has gone'));
    client.once('close', abort);
    try {
      const waiting = service.room.wait(gone.signal);
      this.services.held(service);
      await waiting;
      // It may have been replaced while this request waited.
      const { projectName, runName } = service.found;
      const now = await this.services.find(projectName, runName);
      return now === null || now.replicas.isEmpty ? REPLIES.notReady : now;
    } catch (error) {
      if (error instanceof NotReadyError) return REPLIES.notReady;
      return REPLIES.clientGone;
    } finally {
      client.off('close', abort);
    }
  }

  private count(service: LiveService, outcome: Outcome, startedAt: number): void {
    if ('group' in outcome) service.answered(outcome.group, this.world.clock.now() - startedAt);
  }
}
