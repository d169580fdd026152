import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A cloud's API on loopback: what all of them share is that they listen, read a request whole and are closed. */
export abstract class HttpFake {
  // Connections are ended by who asks: where both do, a request that is sent as the fake hangs up has no answer.
  private readonly server = createServer(
    { keepAliveTimeout: 0 },
    (request, response) => void this.receive(request, response),
  );

  get url(): string {
    // Listening on TCP, so it is one.
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  protected async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** `text` is the request's body, read as UTF-8; `bytes` as it came. */
  protected abstract serve(
    request: IncomingMessage,
    response: ServerResponse,
    text: string,
    bytes: Buffer,
  ): Promise<void> | void;

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await whole(request);
    if (bytes === null) return;
    await this.serve(request, response, bytes.toString(), bytes);
  }
}

/** Null: who sent it hung up before its end. */
async function whole(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch (error) {
    if (request.complete) throw error;
    return null;
  }
  return Buffer.concat(chunks);
}
