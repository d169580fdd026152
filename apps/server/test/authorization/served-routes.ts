import type { FastifyInstance } from 'fastify';
import type { TestServer } from '../support/start-test-server.js';

/** `METHOD /path` of everything the HTTP server answers, as its router tells it: controllers and the rest. */
export function servedRoutes(server: TestServer): string[] {
  const fastify: FastifyInstance = server.app.getHttpAdapter().getInstance();
  const prefixes: string[] = [];
  return fastify
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', text = '', methods = ''] = /^([│├└─\s]*)(\S.*?) \(([A-Z, ]+)\)$/u.exec(line) ?? [];
      if (methods === '') return [];
      const depth = indent.length / 4;
      const path = `${prefixes[depth - 1] ?? ''}${text}`;
      prefixes[depth] = path;
      return methods.split(', ').map((method) => `${method} ${path}`);
    });
}
