import { createServer as createHttpServer } from 'node:http';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, createServer as createNetServer, type Server, type Socket } from 'node:net';
import { grpcCall } from './grpc-call.js';

const signal = new AbortController().signal;
const servers: (Server | Http2Server)[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function ask(at: Server | Http2Server, maxBytes = 1000): Promise<unknown> {
  servers.push(at.on('connection', (socket: Socket) => sockets.add(socket)));
  await new Promise<void>((resolve) => at.listen(0, '127.0.0.1', resolve));
  const stream = connect({ port: (at.address() as AddressInfo).port, host: '127.0.0.1' }); // TCP
  return grpcCall(stream, { method: '/a.B/C', maxBytes }, signal).catch((error: unknown) => error);
}

function speaking(answer: (call: ServerHttp2Stream) => void): Http2Server {
  return createServer().on('stream', (call: ServerHttp2Stream, headers) => {
    expect(headers).toMatchObject({ ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' });
    const asked: Buffer[] = [];
    call.on('data', (part: Buffer) => asked.push(part));
    call.once('end', () => {
      expect(Buffer.concat(asked)).toEqual(Buffer.alloc(5));
      answer(call);
    });
  });
}

function sayWith(message: string, status = '0', prefix = [0, 0, 0, 0, Buffer.byteLength(message)]) {
  return speaking((call) => {
    call.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    call.once('wantTrailers', () => call.sendTrailers({ 'grpc-status': status }));
    call.end(Buffer.concat([Buffer.from(prefix), Buffer.from(message)]));
  });
}

it('gives the message of the answer', async () => {
  expect(await ask(sayWith('hello'))).toEqual({ status: 0, message: Buffer.from('hello') });
  expect(await ask(sayWith(''))).toEqual({ status: 0, message: Buffer.alloc(0) });
});

it('tells of a refusal what it says', async () => {
  const refusing = speaking((call) => {
    call.respond({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'no such method' }, { endStream: true });
  });
  expect(await ask(refusing)).toEqual({ status: 12, message: null, text: 'no such method' });
});

it.each<[string, () => Server | Http2Server, string | RegExp]>([
  ['compresses', () => sayWith('x', '0', [1, 0, 0, 0, 1]), 'without compression'],
  ['says half a message', () => sayWith('x', '0', [0, 0, 0, 0, 9]), 'no single message'],
  ['says too much', () => sayWith('x'.repeat(200)), 'more than 100 bytes'],
  [
    'speaks HTTP/2 alone',
    () => speaking((call) => (call.respond({ ':status': 200 }), call.end('x'))),
    'does not speak gRPC',
  ],
  ['speaks HTTP/1', () => createHttpServer((_request, response) => response.end('x')), /./],
  ['hangs up', () => createNetServer((socket) => socket.destroy()), /./],
])('refuses who %s', async (_what, make, message) => {
  const error = await ask(make(), 100);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toMatch(message);
});

it('is not waited for any more when nobody wants it', async () => {
  const silent = createNetServer((socket) => sockets.add(socket));
  servers.push(silent);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const stream = connect({ port: (silent.address() as AddressInfo).port, host: '127.0.0.1' }); // TCP
  const giveUp = new AbortController();
  const asked = grpcCall(stream, { method: '/a.B/C', maxBytes: 9 }, giveUp.signal);
  giveUp.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
