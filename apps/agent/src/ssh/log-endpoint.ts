import * as http from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { readTarget } from '../protocol/request-target.js';
import type { JobLogs } from './options.js';

export interface LogEndpoint {
  /** Answers HTTP on a connection. */
  serve(connection: Duplex): void;
  /** Resolves when every reader has got the end of the log, or after `limitMs`. */
  drain(limitMs: number): Promise<void>;
}

/** The log of the job as clients of dstack 0.21 read it: a WebSocket of raw terminal bytes. */
export function createLogEndpoint(options: {
  logs: JobLogs;
  version: string;
  log: (line: string) => void;
}): LogEndpoint {
  const readers = new Set<Promise<void>>();
  const sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
  const server = http.createServer((request, response) => {
    const { path } = readTarget(request);
    const found = path === '/api/healthcheck';
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(found ? { service: 'dstack-runner', version: options.version } : { detail: `nothing at ${path}` }),
    );
  });
  server.on('upgrade', (request, socket, head) => {
    const { path, query } = readTarget(request);
    const start = parseStartTime(query.get('start_time'));
    if (path !== '/logs_ws') refuse(socket, '404 Not Found', `nothing at ${path}`);
    else if (start === 'invalid') refuse(socket, '400 Bad Request', 'start_time is not an RFC 3339 time');
    else {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const reader = sendLog(webSocket, options.logs, start)
          .catch((error: unknown) => {
            options.log(`ssh: a log reader failed: ${error instanceof Error ? error.message : String(error)}`);
            webSocket.close(1011, 'the log could not be read');
          })
          .finally(() => readers.delete(reader));
        readers.add(reader);
      });
    }
  });
  return {
    serve: (connection) => {
      connection.on('error', () => undefined);
      server.emit('connection', connection);
    },
    drain: async (limitMs) => {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      await Promise.race([Promise.all(readers), limit]);
      clearTimeout(timer);
    },
  };
}

async function sendLog(socket: WebSocket, logs: JobLogs, start: number | undefined): Promise<void> {
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      gone.abort();
      resolve();
    });
  });
  socket.on('error', () => undefined);
  for await (const bytes of logs.tail(start, gone.signal)) {
    if (gone.signal.aborted) return;
    // The callback waits for the client: a slow reader holds up its own copy only.
    const sent = new Promise<void>((resolve) => {
      socket.send(bytes, { binary: true }, () => {
        resolve();
      });
    });
    await Promise.race([sent, closed]);
  }
  socket.close(1000);
  await closed;
}

function parseStartTime(text: string | null): number | undefined | 'invalid' {
  if (text === null || text === '') return undefined;
  // A `+` of the zone that was not escaped arrives as a space.
  const at = Date.parse(text.replace(' ', '+'));
  return Number.isNaN(at) ? 'invalid' : at;
}

function refuse(socket: Duplex, status: string, detail: string): void {
  const body = JSON.stringify({ detail });
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
