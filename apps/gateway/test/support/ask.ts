import { Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';

export interface Question {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Node's own client: `fetch` hides what is tested here. */
export function ask(port: number, { host = 'web.test', body, ...rest }: Question = {}, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host, ...rest.headers };
    const request = httpRequest(
      { host: '127.0.0.1', port, agent: agent ?? false, timeout: 20_000, ...rest, headers },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.once('error', reject);
        reply.once('end', () =>
          resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', reject);
    request.end(body);
  });
}

export interface Load {
  /** Ends it, and gives what was not answered with 200, and how many were. */
  stop(): Promise<{ readonly failed: string[]; readonly answered: number }>;
  /** Resolves when so many more were answered. */
  more(count: number): Promise<void>;
}

const running = new Set<Load>();

/** Whatever became of the test. */
export async function stopLoads(): Promise<void> {
  for (const each of running) await each.stop();
}

/** Clients that ask again and again, over connections that stay. */
export function load(port: number, question: Question, clients = 4): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failed: string[] = [];
  let answered = 0;
  let isOver = false;
  const waiting: { at: number; resolve: () => void }[] = [];
  const all = Array.from({ length: clients }, async () => {
    while (!isOver) {
      await ask(port, question, agent).then(
        ({ status, body }) => {
          if (status === 200) answered += 1;
          else failed.push(`${status} ${body}`);
        },
        (error: unknown) => failed.push(String(error)),
      );
      for (const each of waiting) if (answered + failed.length >= each.at) each.resolve();
    }
  });
  const made: Load = {
    more: (count) => new Promise((resolve) => waiting.push({ at: answered + failed.length + count, resolve })),
    async stop() {
      running.delete(made);
      isOver = true;
      await Promise.all(all);
      agent.destroy();
      return { failed, answered };
    },
  };
  running.add(made);
  return made;
}
