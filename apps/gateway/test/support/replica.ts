import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Replica {
  readonly name: string;
  readonly port: number;
  readonly seen: IncomingMessage[];
  /** Answers to `/wait`: each is open until it is called. */
  readonly waiting: ((text: string) => void)[];
  /** It and its connections are gone at once. */
  kill(): Promise<void>;
}

/** A real server: `/` says its name, `/events` is a stream, `/wait` answers when it is told to, `/sink` counts bytes, and WebSockets echo. */
export async function startReplica(name: string, port = 0): Promise<Replica> {
  const seen: IncomingMessage[] = [];
  const waiting: ((text: string) => void)[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    seen.push(request);
    const [path] = (request.url ?? '/').split('?');
    if (path === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      waiting.push((text) => response.write(`data: ${text}\n\n`));
    } else if (path === '/wait') {
      waiting.push((text) => response.end(text));
    } else if (path === '/sink') {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.once('end', () => response.end(String(bytes)));
    } else if (path === '/v1/elsewhere') {
      response.writeHead(200, { 'x-accel-redirect': '/admin', 'x-accel-limit-rate': '1' }).end('here');
    } else if (path === '/broken') {
      request.socket.destroy();
    } else if (path === '/generate') {
      request.resume();
      const details = { finish_reason: 'length', generated_tokens: 2, prefill: [{ id: 1 }], tokens: [] };
      response.end(JSON.stringify({ generated_text: 'hello', details }));
    } else if (path === '/v1/chat/completions') {
      request.resume();
      response.writeHead(200, {
        'content-type': 'application/json',
        'access-control-allow-origin': 'https://one.test',
      });
      response.end(JSON.stringify({ object: 'chat.completion', by: name }));
    } else {
      request.resume();
      request.once('end', () => response.end(name));
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  new WebSocketServer({ server }).on('connection', (socket: WebSocket) => {
    socket.on('message', (message: Buffer) => socket.send(`${name}:${message.toString()}`));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    name,
    port: (server.address() as AddressInfo).port,
    seen,
    waiting,
    async kill() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
