import type { FastifyInstance, FastifyRequest } from 'fastify';
import { begin, type Began } from './traced.js';

/** Polled all the time, and of no interest. */
const QUIET = new Set(['/healthcheck', '/readyz', '/metrics']);

/** A span for each request, named by its route; what the path, the query and the body hold is not told. */
export function recordRequests(fastify: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, Began>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url ?? '';
    if (QUIET.has(route)) return done();
    const attributes = { 'http.request.method': request.method, 'http.route': route, 'dstack.request_id': request.id };
    const traceparent = header(request, 'traceparent');
    const span = begin({ name: `${request.method} ${route}`.trim(), kind: 'request', attributes, traceparent });
    spans.set(request, span);
    span.within(done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.add({ 'http.response.status_code': reply.statusCode });
    span?.end(reply.statusCode >= 500 ? new Error(`HTTP ${reply.statusCode}`) : undefined);
    done();
  });
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
