import { request } from 'node:http';
import type { CountedTraffic } from '../control/control-server.js';

const WITHIN_MS = 2_000;

/** What the program that serves now has counted, so that nobody takes its end for the end of the requests. Nothing where it does not answer. */
export function formerTraffic(socketPath: string): Promise<CountedTraffic> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/v1/traffic', agent: false, timeout: WITHIN_MS }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.once('error', () => resolve({}));
      reply.once('end', () => resolve(reply.statusCode === 200 ? parse(text) : {}));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve({}));
    asked.end();
  });
}

/** It is one of ours, of this version or one before. */
function parse(text: string): CountedTraffic {
  try {
    return JSON.parse(text) as CountedTraffic;
  } catch {
    return {};
  }
}
