import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProxyReply } from './proxy-reply.js';

/** Unless the client has an answer already, or has gone. */
export function sendReply(response: ServerResponse, reply: ProxyReply | null): void {
  if (reply === null || response.headersSent || response.destroyed) return;
  const body = JSON.stringify({ detail: reply.detail });
  // What is left of the request is not read, so the connection cannot be used again.
  response.writeHead(reply.status, { ...reply.headers, 'content-type': 'application/json', connection: 'close' });
  response.end(body);
}

export function sendSocketReply(socket: Duplex, reply: ProxyReply | null): void {
  if (reply === null || socket.destroyed) return;
  const body = JSON.stringify({ detail: reply.detail });
  socket.end(
    `HTTP/1.1 ${reply.status} ${reply.title}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
