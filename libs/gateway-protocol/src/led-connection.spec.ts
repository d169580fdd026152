import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createGatewayClient } from './gateway-client.js';
import { type LedConnection, useLedConnection } from './led-connection.js';

const directory = mkdtempSync(join(tmpdir(), 'gw-led-'));
const socketPath = join(directory, 'gateway.sock');
const signal = new AbortController().signal;
let server: Server;
const sockets = new Set<Duplex>();

beforeEach(async () => {
  server = createServer((_request, response) => response.writeHead(404).end('{"code":"not_found","message":"no"}'));
  server.on('connection', (socket: Duplex) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(resolve));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function both(): Promise<{ readonly waiting: Duplex; readonly asked: Promise<LedConnection> }> {
  const upgraded = once(server, 'upgrade');
  const asked = createGatewayClient({ connect: socketPath }).ledConnection(signal);
  const [, waiting] = (await upgraded) as [unknown, Duplex];
  return { waiting, asked };
}

it('leads to the replica that the gateway names once there is a request for it', async () => {
  const { waiting, asked } = await both();
  const used = useLedConnection(waiting, 'job-1');
  const connection = await asked;
  expect(connection.replicaId).toBe('job-1');
  const replica = connection.accept();
  // With the word that it may be used, and at once.
  replica.end('HTTP/1.1 200 OK');
  const stream = await used;
  stream.end('GET / HTTP/1.1');
  expect(await Promise.all([text(stream), text(replica)])).toEqual(['HTTP/1.1 200 OK', 'GET / HTTP/1.1']);
});

it('is refused in words', async () => {
  const { waiting, asked } = await both();
  const used = useLedConnection(waiting, 'job-1').catch((error: unknown) => error);
  (await asked).refuse('nothing answers\nat port 80');
  expect(await used).toEqual(new Error('nothing answers at port 80'));
});

it('is not, where the server goes away', async () => {
  const { waiting, asked } = await both();
  const used = useLedConnection(waiting, 'job-1').catch((error: unknown) => error);
  (await asked).accept().destroy();
  expect(await used).toEqual(expect.anything());
});

it('is not known to a gateway of before', async () => {
  const old = createServer((_request, response) => response.writeHead(404).end('{"code":"not_found","message":"no"}'));
  await new Promise<void>((resolve) => old.listen(`${socketPath}.old`, resolve));
  const asked = createGatewayClient({ connect: `${socketPath}.old` }).ledConnection(signal);
  await expect(asked).rejects.toMatchObject({ status: 404, code: 'not_found' });
  await new Promise((resolve) => old.close(resolve));
});

it('is not waited for any more when nobody wants it', async () => {
  const giveUp = new AbortController();
  const upgraded = once(server, 'upgrade');
  const asked = createGatewayClient({ connect: socketPath }).ledConnection(giveUp.signal);
  const [, waiting] = (await upgraded) as [unknown, Duplex];
  const left = once(waiting.resume(), 'end');
  giveUp.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
  await left;
});
