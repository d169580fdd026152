import * as net from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { joinStreams } from './join-streams.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dstack-join-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Both ends of a real connection. */
async function pair(name: string): Promise<[net.Socket, net.Socket]> {
  const path = join(dir, name);
  const server = net.createServer({ allowHalfOpen: true });
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const near = net.connect({ path, allowHalfOpen: true });
  const far = await accepted;
  server.close();
  return [near, far];
}

it('delivers all of a long answer though its sender hangs up at once', async () => {
  const [client, fromClient] = await pair('client');
  const [toServer, server] = await pair('server');
  const joined = joinStreams(fromClient, toServer);
  client.write('question');
  await new Promise<void>((resolve) => server.once('data', () => resolve()));
  server.end(Buffer.alloc(4_000_000, 'x'));
  server.once('finish', () => server.destroy());
  expect((await text(client)).length).toBe(4_000_000);
  client.end();
  await joined;
});

it('closes the other when one breaks', async () => {
  const [client, fromClient] = await pair('client');
  const [toServer, server] = await pair('server');
  const joined = joinStreams(fromClient, toServer);
  const ended = new Promise<void>((resolve) => server.resume().once('end', () => resolve()));
  client.destroy();
  await ended;
  server.destroy();
  await joined;
});
