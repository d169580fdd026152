import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A replica that does nothing else: a few bytes, or an event ten times a second that says when it was sent (ms since the epoch). */
const EVERY_MS = 100;
const SMALL = Buffer.from('{"hello":"world"}');

const server = createServer((request, response) => {
  if (request.url !== '/events') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': SMALL.length });
    response.end(SMALL);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write(`data: ${performance.timeOrigin + performance.now()}\n\n`), EVERY_MS);
  response.once('close', () => clearInterval(timer));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
