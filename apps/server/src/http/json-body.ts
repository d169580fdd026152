import type { FastifyInstance } from 'fastify';

/** What arrived as JSON and is none; told as 422 by operations that read a body, ignored by the others. */
export class InvalidJson {
  constructor(
    readonly text: string,
    readonly reason: string,
  ) {}
}

/** JSON is read before anybody is asked who they are; uploads, which may be larger, are not JSON. */
const JSON_LIMIT_BYTES = 8 * 1024 * 1024;

export function addBodyParsers(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const json = /^application\/(?:[\w.-]+\+)?json(?:\s*;.*)?$/i;
  fastify.addContentTypeParser(json, { parseAs: 'string', bodyLimit: JSON_LIMIT_BYTES }, (_request, text, done) => {
    done(null, parseJson(String(text)));
  });
  // Without the media type the text stays a text, which no schema accepts.
  fastify.addContentTypeParser('*', { parseAs: 'string', bodyLimit: JSON_LIMIT_BYTES }, (_request, text, done) => {
    done(null, text === '' ? undefined : text);
  });
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return new InvalidJson(text, error instanceof Error ? error.message : 'not JSON');
  }
}
