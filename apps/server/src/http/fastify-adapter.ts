import { randomUUID } from 'node:crypto';
import multipart from '@fastify/multipart';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CONTRACT_OPERATIONS } from './contract.js';
import { addBodyParsers } from './json-body.js';

const BODY_LIMIT_BYTES = 32 * 1024 * 1024;
/** For the request to come whole, not for its reply: who sends a byte a minute does not hold a connection for ever. */
const REQUEST_LIMIT_MS = 300_000;

/** Nest's own answer to an unknown route has another envelope. */
class ContractAdapter extends FastifyAdapter {
  override setNotFoundHandler(): ReturnType<FastifyAdapter['setNotFoundHandler']> {
    const instance = this.getInstance<ReturnType<FastifyAdapter['setNotFoundHandler']>>();
    return instance.setNotFoundHandler(answerUnknownRoute);
  }
}

export async function createFastifyAdapter(): Promise<FastifyAdapter> {
  const adapter = new ContractAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_LIMIT_MS,
    requestIdHeader: 'x-request-id',
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 500 },
    // A stop waits for requests, not for idle keep-alive connections.
    forceCloseConnections: 'idle',
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  addBodyParsers(fastify);
  await fastify.register(multipart);
  fastify.addHook('onSend', async (request, reply) => {
    void reply.header('X-Request-Id', request.id);
  });
  return adapter;
}

const routes = CONTRACT_OPERATIONS.map(({ path, method }) => ({
  method,
  pattern: new RegExp(`^${path.replace('{path}', '.*').replace(/\{\w+\}/g, '[^/]+')}$`),
}));

/** No such route: the way to the right one (a trailing slash), the wrong method, or nothing. */
function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): void {
  const [path = '/', query] = request.url.split('?', 2);
  const matching = routes.filter(({ pattern }) => pattern.test(path));
  if (matching.length > 0) {
    void reply
      .status(405)
      .header('Allow', matching.map(({ method }) => method).join(', '))
      .send({ detail: 'Method Not Allowed' });
    return;
  }
  const shorter = path.replace(/\/+$/, '');
  if (shorter !== path && routes.some(({ pattern }) => pattern.test(shorter))) {
    void reply
      .status(307)
      .header('Location', query === undefined ? shorter : `${shorter}?${query}`)
      .send();
    return;
  }
  void reply.status(404).send({ detail: 'Not Found' });
}
