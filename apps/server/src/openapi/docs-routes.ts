import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { docsPage } from './docs-page.js';
import { describeApi } from './openapi.js';

/** The document is made when somebody first asks for it: starting does not wait for it. */
export function addDocsRoutes(app: INestApplication, fastify: FastifyInstance): void {
  let document: Promise<OpenAPIObject> | undefined;
  const described = (): Promise<OpenAPIObject> => (document ??= describeApi(app));
  fastify.get('/api/docs', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(docsPage(await described())),
  );
  fastify.get('/api/docs/openapi.json', async (_request, reply) => reply.send(await described()));
  fastify.get('/openapi.json', async (_request, reply) => reply.send(await described()));
}
