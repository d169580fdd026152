import { WebSocket } from 'ws';
import type { TestGateway } from './test-gateway.js';

/** What comes back over a WebSocket for what was said. */
export async function echoOf(gateway: TestGateway, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/ws`, { headers: { host: 'web.test', ...headers } });
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send('hello'));
      socket.once('message', (message: Buffer) => resolve(message.toString()));
    });
  } finally {
    socket.close();
  }
}
