import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ReceivedLine {
  readonly body: string;
  readonly severity: string;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Field = { readonly number: number; readonly value: Buffer | bigint };

/** An OTLP/HTTP collector on loopback, which reads protobuf as opentelemetry-proto 1 describes it. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly lines: ReceivedLine[] = [];
  readonly metrics: string[] = [];
  readonly resource: Record<string, string> = {};

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    const receiver = new OtlpReceiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receiver.take(request.url ?? '', Buffer.concat(chunks));
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`; // it listens on TCP
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(path: string, body: Buffer): void {
    for (const group of all(body, 1)) {
      for (const resource of all(group, 1)) Object.assign(this.resource, attributes(resource, 1));
      for (const scope of all(group, 2))
        for (const item of all(scope, 2)) {
          if (path === '/v1/traces') this.spans.push(spanOf(item));
          else if (path === '/v1/logs') this.lines.push(lineOf(item));
          else this.metrics.push(text(item, 1));
        }
    }
  }
}

function spanOf(item: Buffer): ReceivedSpan {
  const kind = fields(item).find(({ number }) => number === 6)?.value;
  return {
    traceId: hex(item, 1),
    spanId: hex(item, 2),
    parentSpanId: hex(item, 4),
    name: text(item, 5),
    kind: Number(kind ?? 0),
    attributes: attributes(item, 9),
  };
}

function lineOf(item: Buffer): ReceivedLine {
  const [body = Buffer.alloc(0)] = all(item, 5);
  return { body: text(body, 1), severity: text(item, 3), traceId: hex(item, 9), attributes: attributes(item, 6) };
}

function attributes(item: Buffer, number: number): Record<string, string> {
  return Object.fromEntries(
    all(item, number).map((pair) => {
      const [value = Buffer.alloc(0)] = all(pair, 2);
      const [first] = fields(value);
      return [text(pair, 1), Buffer.isBuffer(first?.value) ? first.value.toString() : String(first?.value ?? '')];
    }),
  );
}

const all = (message: Buffer, number: number): Buffer[] =>
  fields(message).flatMap((field) => (field.number === number && Buffer.isBuffer(field.value) ? [field.value] : []));
const text = (message: Buffer, number: number): string => all(message, number)[0]?.toString() ?? '';
const hex = (message: Buffer, number: number): string => all(message, number)[0]?.toString('hex') ?? '';

function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at] ?? 0;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const [number, type] = [tag >> 3, tag & 7];
    if (type === 0) found.push({ number, value: varint() });
    else {
      const length = type === 2 ? Number(varint()) : type === 1 ? 8 : 4;
      found.push({ number, value: message.subarray(at, at + length) });
      at += length;
    }
  }
  return found;
}
