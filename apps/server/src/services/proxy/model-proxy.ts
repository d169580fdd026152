import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { findModels } from './find-models.js';
import { forwardedHeaders } from './forwarded-headers.js';
import { LiveServices } from './live-services.js';
import { parseModelPath } from './model-path.js';
import { type ProxyReply, REPLIES } from './proxy-reply.js';
import { readBody } from './read-body.js';
import { sendReply } from './send-reply.js';
import { ServiceAccess } from './service-access.js';
import { ServiceForwarder } from './service-forwarder.js';

/** `/proxy/models/<project>/…`: the models of a project behind one address, as the OpenAI API has them. */
@Injectable()
export class ModelProxy {
  constructor(
    private readonly db: Database,
    @Inject(LiveServices) private readonly services: LiveServices,
    @Inject(ServiceAccess) private readonly access: ServiceAccess,
    @Inject(ServiceForwarder) private readonly forwarder: ServiceForwarder,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'url' | 'forwardedAllowIps'>,
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
    const wanted = modelOf(body);
    if (wanted === null) return REPLIES.namesNoModel;
    const model = models.find(({ name }) => name === wanted);
    const service = model === undefined ? null : await this.services.find(project, model.runName);
    if (model === undefined || service === null) return { ...REPLIES.noModel, detail: `There is no model ${wanted}` };
    if (model.format === 'tgi') return REPLIES.tgi;
    const headers = forwardedHeaders(request, this.settings, { prefix: '', dropAuthorization: true });
    return this.forwarder.forward(
      { service, path: `${model.prefix.replace(/\/+$/, '')}/${call}`, headers, body },
      request,
      response,
    );
  }
}

function modelOf(body: Buffer): string | null {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    const isNamed = typeof parsed === 'object' && parsed !== null && 'model' in parsed;
    return isNamed && typeof parsed.model === 'string' ? parsed.model : null;
  } catch {
    return null;
  }
}
