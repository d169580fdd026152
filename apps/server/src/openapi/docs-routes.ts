import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { docsPage } from './docs-page.js';
import { describeApi } from './openapi.js';

/** The document is made when somebody first asks for it: starting does not wait for it. */
export function addDocsRoutes(app: INestApplication, fastify: FastifyInstance): void {
  let document: OpenAPIObject | undefined;
  const described = (): OpenAPIObject => (document ??= describeApi(app));
  fastify.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(docsPage(described())));
  fastify.get('/api/docs/openapi.json', (_request, reply) => reply.send(described()));
  fastify.get('/openapi.json', (_request, reply) => reply.send(described()));
}
