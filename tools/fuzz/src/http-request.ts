import { Agent, request } from 'node:http';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const LIMIT_MS = 30_000;

export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly port: number) {}

  /** @throws when no whole reply comes in time. */
  send({ method, path, headers = {}, body }: HttpRequest): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const { agent, port } = this;
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: LIMIT_MS }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.once('error', reject);
        reply.once('end', () =>
          resolve({
            status: reply.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            headers: reply.headers,
          }),
        );
      });
      sent.once('timeout', () => sent.destroy(new Error(`no reply to ${method} ${path} in ${LIMIT_MS} ms`)));
      sent.once('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
