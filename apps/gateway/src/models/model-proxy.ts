import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GatewayModel, opensProject, type TokenAccess } from '@dstack/gateway-protocol';
import {
  answerChat,
  ChatRequestError,
  ChatTemplateError,
  forwardRequest,
  NotReadyError,
  parseChatRequest,
  ReplicaSet,
  requestHeaders,
} from '@dstack/proxy';
import { CLIENT_HEADER, SCHEME_HEADER } from '../nginx/app-routes.js';
import type { LiveService } from '../services/live-service.js';
import { type ModelCall, parseModelPath } from './model-path.js';
import { readBody } from './read-body.js';

const MOST_BYTES = 64 * 1024 * 1024;

export interface ModelProxyTools {
  readonly now: () => number;
  readonly models: () => readonly GatewayModel[];
  readonly service: (id: string) => LiveService | undefined;
  /** Undefined: what came is no valid token. */
  readonly token: (authorization: string | undefined) => TokenAccess | undefined;
  /** The server has not been heard of for too long: nobody knows whose token still holds. */
  readonly isStale: () => boolean;
}

/** Models of a project behind one name, in OpenAI's words, whatever their services speak. */
export class ModelProxy {
  constructor(private readonly tools: ModelProxyTools) {}

  async answer(ownProject: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.tools.isStale())
      return refuse(response, 503, 'The gateway cannot tell who may ask: its server has not been heard of', '60');
    const path = parseModelPath(request.url ?? '/', ownProject);
    const token = this.tools.token(request.headers.authorization);
    // Who is nobody learns nothing of what there is.
    if (token === undefined || !opensProject(token, path?.project ?? ownProject))
      return refuse(response, 403, 'Unauthenticated or unauthorized');
    if (path === null) return refuse(response, 404, 'There is no such model');
    const models = this.modelsOf(path.project);
    if (path.call === 'models') {
      if (request.method !== 'GET') return refuse(response, 405, 'Models are listed by GET');
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ object: 'list', data: models.map(listed) }));
    }
    if (request.method !== 'POST') return refuse(response, 405, 'Models are asked by POST');
    const body = await readBody(request, MOST_BYTES);
    if (body === null) return refuse(response, 413, 'The body is too long');
    await this.ask(path.call, models, body, request, response);
  }

  private modelsOf(project: string): GatewayModel[] {
    const byName = new Map<string, GatewayModel>();
    const inProject = this.tools.models().filter((model) => model.project === project);
    for (const model of [...inProject].sort((a, b) => a.createdAt - b.createdAt)) byName.set(model.name, model);
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async ask(
    call: ModelCall,
    models: readonly GatewayModel[],
    body: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const parsed = parseJson(body);
    const wanted = nameOf(parsed);
    if (wanted === null) return refuse(response, 400, 'The body must be JSON that names a model');
    const model = models.find(({ name }) => name === wanted);
    const service = model === undefined ? undefined : this.tools.service(model.serviceId);
    if (model === undefined || service === undefined) return refuse(response, 404, `There is no model ${wanted}`);
    const { api } = model;
    if (api.format === 'tgi' && call !== 'chat/completions')
      return refuse(response, 501, 'Models in the format of TGI have chat/completions only');
    const replicas = this.replicasOf(service, response);
    try {
      const headers = headersFor(request);
      if (api.format === 'openai') {
        const forwarded = { request, response, headers, body, maxBodyBytes: null };
        const path = `${api.prefix.replace(/\/+$/, '')}/${call}`;
        return sayOutcome(response, await forwardRequest({ ...forwarded, path }, replicas, this.tools.now));
      }
      const { chatTemplate, eosToken } = api;
      if (chatTemplate === null || eosToken === null)
        return refuse(
          response,
          501,
          `The service of the model ${wanted} does not tell how to speak to it: set chat_template and eos_token under model in its configuration and apply it again`,
        );
      const name = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(this.tools.now() / 1000), model: wanted };
      const exchange = {
        request: parseChatRequest(parsed),
        format: { chatTemplate, eosToken },
        response,
        headers,
        name,
      };
      sayOutcome(response, await answerChat(exchange, replicas, this.tools.now));
    } catch (error) {
      if (error instanceof ChatRequestError || error instanceof ChatTemplateError)
        return refuse(response, 400, error.message);
      throw error;
    } finally {
      replicas.close();
    }
  }

  /** The service itself chooses the replica for each stream, and counts it. */
  private replicasOf(service: LiveService, response: ServerResponse): ReplicaSet {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client has gone')));
    const replicas = new ReplicaSet({
      limits: { connections: 1, answerMs: service.service.answerSeconds * 1000, closeAfterAnswer: true },
      now: this.tools.now,
      random: () => 0,
    });
    replicas.update([{ id: service.service.id, group: '', connect: () => service.openStream(gone.signal) }]);
    return replicas;
  }
}

function headersFor(request: IncomingMessage): string[] {
  const own: (string | undefined)[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    // Between nginx and this program.
    if (!name.toLowerCase().startsWith('x-dstack-')) own.push(name, request.rawHeaders[index + 1]);
  }
  const clientAddress = request.headers[CLIENT_HEADER.toLowerCase()];
  const scheme = request.headers[SCHEME_HEADER.toLowerCase()];
  return requestHeaders(
    own.filter((each) => each !== undefined),
    {
      clientAddress: typeof clientAddress === 'string' ? clientAddress : '',
      protocol: scheme === 'https' ? 'https' : 'http',
      prefix: '',
      isTrusted: false,
      dropAuthorization: true,
    },
  );
}

type Outcome = Awaited<ReturnType<typeof answerChat>>;

function sayOutcome(response: ServerResponse, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'answered':
    case 'client-gone':
      return;
    case 'too-late':
      return refuse(response, 504, 'The replica of the service did not answer in time');
    case 'wrong-answer':
      return refuse(response, 502, `The answer of the service's replica is none of TGI's: ${outcome.message}`);
    case 'no-room':
      return refuse(response, 503, 'The gateway holds too many answers of models at the moment. Try again later', '5');
    case 'too-large':
      return refuse(response, 413, `A body has at most ${outcome.limit} bytes`);
    case 'no-replica':
    case 'unreachable':
    case 'broken-off':
      if ('message' in outcome && outcome.message.includes(NOT_IN_TIME)) return refuse(response, 503, NOT_READY, '10');
      return refuse(response, 502, 'The replica of the service cannot be reached');
  }
}

const NOT_IN_TIME = new NotReadyError('no replica became ready in time').message;
const NOT_READY = 'The service has no replica that is ready yet. Try again later';

function refuse(response: ServerResponse, status: number, detail: string, retryAfter?: string): void {
  if (response.headersSent || response.destroyed) return;
  const headers = { 'content-type': 'application/json', connection: 'close' };
  response.writeHead(status, retryAfter === undefined ? headers : { ...headers, 'retry-after': retryAfter });
  response.end(JSON.stringify({ detail }));
}

function listed({ name, createdAt, project }: GatewayModel): object {
  return { object: 'model', id: name, created: createdAt, owned_by: project };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

function nameOf(body: unknown): string | null {
  const isNamed = typeof body === 'object' && body !== null && 'model' in body;
  return isNamed && typeof body.model === 'string' ? body.model : null;
}
