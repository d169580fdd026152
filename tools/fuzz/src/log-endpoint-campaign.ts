import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createLogEndpoint } from '@dstack/agent/parts';
import fc from 'fast-check';
import { type Campaign, trial } from './campaign.js';
import { HttpClient } from './http-request.js';
import { ODD_TARGETS } from './odd-targets.js';
import { sendRaw } from './raw-socket.js';

const CASES = 400;

export const logEndpointCampaign: Campaign = {
  name: 'log-endpoint',
  what: 'the log of a job as older clients read it, a WebSocket behind the job’s SSH server',
  open: async () => {
    const endpoint = createLogEndpoint({ logs: { tail }, version: '1', log: () => undefined });
    const server = createServer((socket) => endpoint.serve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    const http = new HttpClient(port);
    const survived = trial(
      'no bytes make a 5xx, a hanging connection or an agent that is gone',
      CASES,
      fc.asyncProperty(fc.constantFrom(...ODD_TARGETS), headers, frames, async (target, lines, after) => {
        const head = [`GET ${target} HTTP/1.1`, 'Host: job', ...lines, '', ''].join('\r\n');
        const answer = await sendRaw({ port, host: '127.0.0.1' }, [Buffer.from(head, 'latin1'), after]);
        if (answer.startsWith('HTTP/1.1 5')) throw new Error(answer.slice(0, 300));
        const health = await http.send({ method: 'GET', path: '/api/healthcheck' });
        if (health.status !== 200) throw new Error(`the endpoint is ill: ${health.status}`);
      }),
    );
    const close = async (): Promise<void> => {
      http.close();
      await new Promise((resolve) => server.close(resolve));
    };
    return { trials: [survived], close };
  },
};

async function* tail(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('a line\n');
  await Promise.resolve();
}

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
const headers = fc.oneof(
  { weight: 4, arbitrary: fc.constant(HANDSHAKE) },
  { weight: 2, arbitrary: fc.subarray(HANDSHAKE) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['Connection: close'],
      ['Connection: Upgrade', 'Upgrade: h2c'],
      [...HANDSHAKE, 'Sec-WebSocket-Protocol: ,'],
      [...HANDSHAKE, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99'],
      [...HANDSHAKE.slice(0, 2), 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 99'],
    ),
  },
);

/** Frames of a client: not masked, of no kind, longer than they are, in pieces. */
const frames = fc.oneof(
  fc.constant(new Uint8Array()),
  fc.constantFrom(
    new Uint8Array([0x81, 0x05, 1, 2, 3]),
    new Uint8Array([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    new Uint8Array([0xf1, 0x80, 0, 0, 0, 0]),
    new Uint8Array([0x88, 0x81, 0, 0, 0, 0, 1]),
    new Uint8Array([0x89, 0xfe, 0x7f, 0xff, 0, 0, 0, 0]),
    new Uint8Array([0x00, 0x80, 0, 0, 0, 0]),
  ),
  fc.uint8Array({ maxLength: 64 }),
);
