import { Agent, request } from 'node:http';
import { quantile } from './spread.js';

/** One connection that stays open, as a page or a script has it: without a new connection in every figure. */
export class ApiClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  post(path: string, body: unknown): Promise<Buffer> {
    return this.send('POST', path, Buffer.from(JSON.stringify(body)));
  }

  get(path: string): Promise<Buffer> {
    return this.send('GET', path, undefined);
  }

  close(): void {
    this.agent.destroy();
  }

  private send(method: string, path: string, body: Buffer | undefined): Promise<Buffer> {
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(this.url + path, { method, headers, agent: this.agent }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.once('error', reject);
        reply.once('end', () => {
          const bytes = Buffer.concat(chunks);
          if (reply.statusCode === 200) resolve(bytes);
          else reject(new Error(`${path}: ${reply.statusCode} ${bytes.toString('utf8').slice(0, 500)}`));
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export function latencyOf(timesMs: readonly number[]): Latency {
  return { p50: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99) };
}
