import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The shortest proxy that Node itself makes: what passing on costs without anything that is decided. The argument is the port behind it. */
const [, , port] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: 1_100 });

const server = createServer((request, response) => {
  const { method, url, headers } = request;
  const forwarded = httpRequest({ agent, port, host: '127.0.0.1', method, path: url, headers }, (reply) => {
    response.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(response);
  });
  response.once('close', () => forwarded.destroy());
  forwarded.once('error', () => response.destroy());
  request.pipe(forwarded);
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
