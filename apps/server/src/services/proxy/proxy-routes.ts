import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { contractOperation, type OperationId } from '../../http/contract.js';
import { routePath } from '../../http/operation.decorator.js';
import type { ModelProxy } from './model-proxy.js';
import type { ServiceProxy } from './service-proxy.js';

const METHODS = ['root_head', 'root_patch', 'root_delete', 'root_put', 'root_post', 'root_get'] as const;
const PATH_METHODS = ['options', 'head', 'patch', 'delete', 'put', 'post', 'get'] as const;

export const SERVICE_OPERATIONS: readonly OperationId[] = [
  ...METHODS.map((name): OperationId => `proxy_services_${name}`),
  ...PATH_METHODS.map((name): OperationId => `proxy_services_path_${name}`),
];

const MODEL_OPERATIONS: readonly OperationId[] = ['proxy_models_models', 'proxy_models_chat_completions'];
/** Of the contract; they are no routes of a controller, as nothing of a request is read before it is passed on. */
export const PROXY_OPERATIONS: readonly OperationId[] = [...SERVICE_OPERATIONS, ...MODEL_OPERATIONS];
/** Beside those of the contract. */
const MORE_OF_MODELS = ['completions', 'embeddings'];

/** Bodies stay streams, answers are written by the proxy itself. */
export async function addProxyRoutes(fastify: FastifyInstance, proxy: ServiceProxy, models: ModelProxy): Promise<void> {
  await fastify.register(async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const add = (method: string, url: string, to: ServiceProxy | ModelProxy): void => {
      routes.route({
        method,
        url,
        exposeHeadRoute: false,
        handler: (request, reply) => {
          reply.hijack();
          void to.handle(request.raw, reply.raw);
        },
      });
    };
    for (const operation of SERVICE_OPERATIONS.map(contractOperation))
      add(operation.method, routePath(operation), proxy);
    for (const operation of MODEL_OPERATIONS.map(contractOperation))
      add(operation.method, routePath(operation), models);
    for (const call of MORE_OF_MODELS) add('POST', `/proxy/models/:project_name/${call}`, models);
  });
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void proxy.upgrade(request, socket, head);
  });
}
