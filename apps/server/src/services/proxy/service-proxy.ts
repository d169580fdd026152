import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isRouterPath } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { forwardedHeaders } from './forwarded-headers.js';
import { LiveServices } from './live-services.js';
import { type ProxyReply, REPLIES } from './proxy-reply.js';
import { sendReply, sendSocketReply } from './send-reply.js';
import { ServiceAccess } from './service-access.js';
import { type Admitted, ServiceForwarder } from './service-forwarder.js';
import { parseServicePath, type ServicePath, withSlash } from './service-path.js';

/** `/proxy/services/<project>/<run>/…`: services without a gateway, on this server's own address. */
@Injectable()
export class ServiceProxy {
  constructor(
    @Inject(LiveServices) private readonly services: LiveServices,
    @Inject(ServiceAccess) private readonly access: ServiceAccess,
    @Inject(ServiceForwarder) private readonly forwarder: ServiceForwarder,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'url' | 'forwardedAllowIps'>,
  ) {}

  /** Answers every request, whatever becomes of it. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    sendReply(response, await this.forward(request, response).catch((): ProxyReply => REPLIES.failed));
  }

  /** The same for what is to become a WebSocket. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    sendSocketReply(socket, await this.forwardSocket(request, socket, head).catch((): ProxyReply => REPLIES.failed));
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<ProxyReply | null> {
    const target = request.url ?? '/';
    const path = parseServicePath(target);
    if (path?.rest === null) return { ...REPLIES.moved, headers: { location: withSlash(target) } };
    const admitted = await this.admit(request, path);
    return 'status' in admitted ? admitted : this.forwarder.forward(admitted, request, response);
  }

  private async forwardSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<ProxyReply | null> {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return REPLIES.otherProtocol;
    const admitted = await this.admit(request, parseServicePath(request.url ?? '/'));
    return 'status' in admitted ? admitted : this.forwarder.forwardSocket(admitted, request, socket, head);
  }

  /** Whether the request may go on, and what of it. */
  private async admit(request: IncomingMessage, path: ServicePath | null): Promise<Admitted | ProxyReply> {
    if (path === null || path.rest === null) return REPLIES.unknown;
    const visitor = await this.access.visitor(request.headers.authorization, path.project);
    const service = await this.services.find(path.project, path.run);
    // Who is no member learns nothing of what there is, but for services that are open to all.
    if (visitor !== 'member' && (service === null || service.found.auth)) return REPLIES.forbidden;
    if (service === null) return REPLIES.unknown;
    const { stripPrefix, hasRouter } = service.found;
    const asked = stripPrefix ? path.rest : `${path.prefix}${path.rest}`;
    if (hasRouter && !isRouterPath(path.rest)) return REPLIES.notOfRouter;
    const headers = forwardedHeaders(request, this.settings, {
      prefix: stripPrefix ? path.prefix : '',
      dropAuthorization: visitor !== 'unknown',
    });
    return { service, path: asked, headers };
  }
}
