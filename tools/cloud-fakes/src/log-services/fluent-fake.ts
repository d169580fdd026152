import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { decodeMultiStream, encode, ExtData, ExtensionCodec } from '@msgpack/msgpack';

type Message = readonly [
  tag: string,
  entries: readonly (readonly [time: unknown, record: Record<string, unknown>])[],
  options?: { readonly chunk?: string },
];

/** A `forward` input, as the protocol (v1) has it: what names a chunk is acknowledged by its name. */
export class FluentFake {
  readonly received: { readonly tag: string; readonly at: number; readonly record: Record<string, unknown> }[] = [];
  /** Messages that are none of the protocol. */
  readonly violations: string[] = [];
  /** Takes all and acknowledges nothing: the connection is closed. */
  losesAnswers = false;

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<FluentFake> {
    const server = createServer();
    const fake = new FluentFake(server);
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      const answer = (bytes: Uint8Array): unknown => (fake.losesAnswers ? socket.destroy() : socket.write(bytes));
      fake.take(socket, answer).catch((error: unknown) => {
        // A sender may hang up.
        if (!socket.destroyed) fake.violations.push(String(error));
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // it listens on TCP
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(bytes: AsyncIterable<Uint8Array>, answer: (bytes: Uint8Array) => unknown): Promise<void> {
    // The time of an entry is an extension of 8 bytes: seconds and nanoseconds.
    const extensionCodec = new ExtensionCodec();
    extensionCodec.register({ type: 0, encode: () => null, decode: (data) => new ExtData(0, data) });
    for await (const value of decodeMultiStream(bytes, { extensionCodec })) {
      const [tag, entries, options] = value as Message; // a message of another form fails here
      for (const [time, record] of entries) this.received.push({ tag, at: milliseconds(time), record });
      if (options?.chunk !== undefined) answer(encode({ ack: options.chunk }));
    }
  }
}

function milliseconds(time: unknown): number {
  if (!(time instanceof ExtData) || !(time.data instanceof Uint8Array)) throw new Error('the time is no EventTime');
  const data = Buffer.from(time.data);
  return data.readUInt32BE(0) * 1_000 + data.readUInt32BE(4) / 1_000_000;
}
