import type { IncomingMessage, ServerResponse } from 'node:http';
import { ChatTemplateError } from '@dstack/proxy';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { WORLD, type World } from '../../world/world.js';
import { findModels } from './find-models.js';
import { forwardedHeaders } from './forwarded-headers.js';
import { LiveServices } from './live-services.js';
import { parseModelPath } from './model-path.js';
import { type ProxyReply, REPLIES } from './proxy-reply.js';
import { readBody } from './read-body.js';
import { sendReply } from './send-reply.js';
import { ServiceAccess } from './service-access.js';
import { ServiceForwarder } from './service-forwarder.js';
import { badRequest, tgiChat } from './tgi-chat.js';

/** `/proxy/models/<project>/…`: the models of a project behind one address, as the OpenAI API has them. */
@Injectable()
export class ModelProxy {
  constructor(
    private readonly db: Database,
    @Inject(LiveServices) private readonly services: LiveServices,
    @Inject(ServiceAccess) private readonly access: ServiceAccess,
    @Inject(ServiceForwarder) private readonly forwarder: ServiceForwarder,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'url' | 'forwardedAllowIps'>,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Answers every request, whatever becomes of it. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    sendReply(response, await this.answer(request, response).catch((): ProxyReply => REPLIES.failed));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<ProxyReply | null> {
    const path = parseModelPath(request.url ?? '/');
    if (path === null) return REPLIES.noModel;
    const { project, call } = path;
    if ((await this.access.visitor(request.headers.authorization, project)) !== 'member') return REPLIES.forbidden;
    const models = await this.db.read((tx) => findModels(tx, project));
    if (call === 'models') {
      const data = models.map(({ name, submittedAt }) => ({
        object: 'model',
        id: name,
        created: Math.floor(submittedAt / 1000),
        owned_by: project,
      }));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ object: 'list', data }));
      return null;
    }
    const body = await readBody(request);
    if (body === null) return REPLIES.tooLong;
    const parsed = parseJson(body);
    const wanted = modelOf(parsed);
    if (wanted === null) return REPLIES.namesNoModel;
    const model = models.find(({ name }) => name === wanted);
    const service = model === undefined ? null : await this.services.find(project, model.runName);
    if (model === undefined || service === null) return { ...REPLIES.noModel, detail: `There is no model ${wanted}` };
    const headers = forwardedHeaders(request, this.settings, { prefix: '', dropAuthorization: true });
    const { api } = model;
    if (api.format === 'tgi') {
      if (call !== 'chat/completions') return REPLIES.tgiChatOnly;
      const chat = tgiChat(wanted, api, parsed);
      if ('status' in chat) return chat;
      return this.forwarder
        .chat(service, { ...chat, response, headers, name: this.answerName(wanted) })
        .catch((error: unknown) => {
          if (error instanceof ChatTemplateError) return badRequest(error);
          throw error;
        });
    }
    return this.forwarder.forward(
      { service, path: `${api.prefix.replace(/\/+$/, '')}/${call}`, headers, body },
      request,
      response,
    );
  }

  private answerName(model: string): { id: string; created: number; model: string } {
    const { clock, ids } = this.world;
    return { id: `chatcmpl-${ids.uuid()}`, created: Math.floor(clock.now() / 1000), model };
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

function modelOf(body: unknown): string | null {
  const isNamed = typeof body === 'object' && body !== null && 'model' in body;
  return isNamed && typeof body.model === 'string' ? body.model : null;
}
