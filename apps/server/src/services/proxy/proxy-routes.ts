import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { contractOperation, type OperationId } from '../../http/contract.js';
import { routePath } from '../../http/operation.decorator.js';
import type { ServiceProxy } from './service-proxy.js';

const METHODS = ['root_head', 'root_patch', 'root_delete', 'root_put', 'root_post', 'root_get'] as const;
const PATH_METHODS = ['options', 'head', 'patch', 'delete', 'put', 'post', 'get'] as const;

/** Of the contract; they are no routes of a controller, as nothing of a request is read before it is passed on. */
export const PROXY_OPERATIONS: readonly OperationId[] = [
  ...METHODS.map((name): OperationId => `proxy_services_${name}`),
  ...PATH_METHODS.map((name): OperationId => `proxy_services_path_${name}`),
];

/** Bodies stay streams, answers are written by the proxy itself. */
export async function addProxyRoutes(fastify: FastifyInstance, proxy: ServiceProxy): Promise<void> {
  await fastify.register(async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const operation of PROXY_OPERATIONS.map(contractOperation)) {
      routes.route({
        method: operation.method,
        url: routePath(operation),
        exposeHeadRoute: false,
        handler: (request, reply) => {
          reply.hijack();
          void proxy.handle(request.raw, reply.raw);
        },
      });
    }
  });
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void proxy.upgrade(request, socket, head);
  });
}
