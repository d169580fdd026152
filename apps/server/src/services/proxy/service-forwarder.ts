import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerChat, type ChatExchange, forwardRequest, forwardUpgrade, NotReadyError } from '@dstack/proxy';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { WORLD, type World } from '../../world/world.js';
import type { LiveService } from './live-service.js';
import { LiveServices } from './live-services.js';
import { isAtOrigin } from './proxy-origin.js';
import { outcomeReply, type ProxyReply, REPLIES } from './proxy-reply.js';

/** Pages of services get an origin of their own, so that they cannot act as this server's pages. */
const SANDBOX = [
  'Content-Security-Policy',
  'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts',
];

/** A request that may be passed on. */
export interface Admitted {
  readonly service: LiveService;
  /** For the replica. */
  readonly path: string;
  readonly headers: readonly string[];
  /** In place of what the request brings, where that was read already. */
  readonly body?: Buffer;
}

/** Passes requests to services: once there is a replica, to one of them, and counted. */
@Injectable()
export class ServiceForwarder {
  constructor(
    @Inject(LiveServices) private readonly services: LiveServices,
    @Inject(SETTINGS)
    private readonly settings: Pick<ServerSettings, 'serviceAnswerMs' | 'servicesShareOrigin' | 'proxyUrl'>,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Null: the client has its answer. */
  async forward(admitted: Admitted, request: IncomingMessage, response: ServerResponse): Promise<ProxyReply | null> {
    const startedAt = this.now();
    const service = await this.whenReady(admitted.service, response);
    if ('status' in service) return service;
    const { path, headers, body } = admitted;
    const { servicesShareOrigin, proxyUrl } = this.settings;
    const hasOwnOrigin = servicesShareOrigin || isAtOrigin(request, proxyUrl);
    const addedHeaders = hasOwnOrigin ? [] : SANDBOX;
    const exchange = { request, response, path, headers, addedHeaders, maxBodyBytes: null };
    const outcome = await forwardRequest(body === undefined ? exchange : { ...exchange, body }, service.replicas, () =>
      this.now(),
    );
    if ('group' in outcome) service.answered(outcome.group, this.now() - startedAt);
    return outcomeReply(outcome);
  }

  /**
   * Asks a service that speaks TGI's own API. Null: the client has its answer.
   * @throws {ChatTemplateError}
   */
  async chat(found: LiveService, exchange: ChatExchange): Promise<ProxyReply | null> {
    const startedAt = this.now();
    const service = await this.whenReady(found, exchange.response);
    if ('status' in service) return service;
    const outcome = await answerChat(exchange, service.replicas, () => this.now());
    if ('group' in outcome) service.answered(outcome.group, this.now() - startedAt);
    return outcomeReply(outcome);
  }

  /** Null: the WebSocket is open, or the client has the replica's refusal. */
  async forwardSocket(
    admitted: Admitted,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<ProxyReply | null> {
    const startedAt = this.now();
    const service = await this.whenReady(admitted.service, socket);
    if ('status' in service) return service;
    const { path, headers } = admitted;
    const exchange = { request, socket, head, path, headers, answerMs: this.settings.serviceAnswerMs };
    const outcome = await forwardUpgrade(exchange, service.replicas, () => this.now());
    if (outcome.kind === 'no-replica') return REPLIES.noReplica;
    service.answered(outcome.group, this.now() - startedAt);
    return outcome.kind === 'failed' ? REPLIES.unreachable : null;
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
      return error instanceof NotReadyError ? REPLIES.notReady : REPLIES.clientGone;
    } finally {
      client.off('close', abort);
    }
  }

  private now(): number {
    return this.world.clock.now();
  }
}
