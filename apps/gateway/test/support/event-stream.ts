import { request } from 'node:http';
import type { Replica } from './replica.js';
import type { TestGateway } from './test-gateway.js';
import { until } from './until.js';

export interface EventStream {
  /** Resolves when the client has it. */
  say(word: string): Promise<void>;
  /** The client goes. Resolves when the replica knows. */
  leave(): Promise<void>;
}

/** A stream of the replica to a client, that is open. */
export async function openStream(
  gateway: TestGateway,
  replica: Replica,
  headers: Readonly<Record<string, string>>,
): Promise<EventStream> {
  const chunks: string[] = [];
  const asked = request(
    {
      host: '127.0.0.1',
      port: gateway.httpPort,
      path: '/events',
      agent: false,
      headers: { host: 'web.test', ...headers },
    },
    (reply) => {
      reply.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
      reply.on('error', () => undefined);
    },
  );
  asked.on('error', () => undefined).end();
  const write = await until('the stream is open', () => replica.waiting.pop() ?? null);
  const replicaSide = replica.seen.at(-1);
  return {
    async say(word) {
      write(word);
      await until(`${word} has come`, () => chunks.join('').endsWith(`data: ${word}\n\n`));
    },
    async leave() {
      asked.destroy();
      await until('the replica knows', () => replicaSide?.socket.destroyed ?? null);
    },
  };
}
