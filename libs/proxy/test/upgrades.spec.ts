import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { closeAll, connectTo, deadReplica, proxy, readUntil, replica, until } from './world.js';

afterEach(closeAll);

const HANDSHAKE =
  'GET /ws?x=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer secret\r\n\r\n';

async function chatty() {
  const one = await replica('a', (_request, response) => void response.writeHead(404).end('no such page'));
  const seen: IncomingMessage[] = [];
  one.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    seen.push(request);
    socket.on('error', () => socket.destroy());
    if (request.url?.startsWith('/ws') !== true) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\nhello`,
    );
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  return { ...one, seen };
}

it('opens both ways, without the token, and closes with either side', async () => {
  const one = await chatty();
  const { port, upgrades } = await proxy([one.target]);
  const socket = await connectTo(port);
  socket.write(`${HANDSHAKE}early`);
  const first = await readUntil(socket, (text) => text.endsWith('early'));
  expect(first).toMatch(/^HTTP\/1\.1 101 /);
  expect(first).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  expect(first.endsWith('\r\n\r\nhelloearly')).toBe(true);
  socket.write('more');
  expect(await readUntil(socket, (text) => text === 'more')).toBe('more');
  expect(one.seen[0]?.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
  expect(one.seen[0]?.headers).not.toHaveProperty('authorization');
  socket.destroy();
  await until(() => one.sockets.size === 0);
  expect(upgrades[0]).toMatchObject({ kind: 'open', group: '0' });
});

it('a replica that does not agree has its answer passed on, and nothing after it', async () => {
  const one = await chatty();
  const { port, upgrades } = await proxy([one.target]);
  const socket = await connectTo(port);
  socket.write(HANDSHAKE.replace('/ws?x=1', '/elsewhere'));
  socket.write('GET /secret HTTP/1.1\r\nHost: x\r\n\r\n');
  const text = await readUntil(socket, () => false);
  expect(text).toMatch(/^HTTP\/1\.1 403 /);
  expect(text.endsWith('\r\n\r\nno')).toBe(true);
  expect(one.seen).toHaveLength(1);
  expect(upgrades).toEqual([{ kind: 'refused', status: 403, group: '0' }]);
});

it('a replica that cannot be reached is told', async () => {
  const { port, upgrades } = await proxy([deadReplica('dead')]);
  const socket = await connectTo(port);
  socket.write(HANDSHAKE);
  expect(await readUntil(socket, (text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 502 /);
  expect(upgrades).toEqual([{ kind: 'failed', message: 'connect ECONNREFUSED', group: '0' }]);
});
