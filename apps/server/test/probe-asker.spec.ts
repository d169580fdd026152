import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Duplex, type Duplex as Stream } from 'node:stream';
import { AgentUnreachableError } from '@dstack/agent-protocol';
import { completeProbe, type Probe, type Wire } from '@dstack/core';
import { HttpProbeAsker } from '../src/services/probe-asker.js';

const target = { jobId: 'j', instanceId: 'i', port: 80 };
const probe = (over: Partial<Wire.ProbeConfig> = {}): Probe => completeProbe({ type: 'http', ...over });

describe('a probe that is asked', () => {
  let server: Server;
  let seen: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string } | undefined;
  let answer: (response: ServerResponse) => void = (response) => response.end();

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
        answer(response);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** As it comes from an agent: a stream that is no socket. */
  const open = (): Promise<Stream> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo; // it listens on TCP
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(Duplex.from({ readable: socket, writable: socket })));
    });
  const ask = (asked: Probe | null, way: () => Promise<Stream> = open, signal = new AbortController().signal) =>
    new HttpProbeAsker({ open: way }).ask(asked, target, signal);

  it('says all that it is told to', async () => {
    const headers = [
      { name: 'X-Token', value: 'abc' },
      { name: 'X-Token', value: 'def' },
    ];
    expect(await ask(probe({ url: '/v1/chät?a=b c', method: 'post', headers, body: '{"ü": 1}' }))).toBe('yes');
    expect(seen).toMatchObject({
      method: 'POST',
      url: '/v1/ch%C3%A4t?a=b%20c',
      headers: { 'x-token': 'abc, def', 'content-length': '9', host: 'localhost' },
      body: '{"ü": 1}',
    });
  });

  it.each([
    [200, 'yes'],
    [204, 'yes'],
    [301, 'no'],
    [404, 'no'],
    [503, 'no'],
  ])('takes %i for %s', async (status, expected) => {
    answer = (response) => {
      response.statusCode = status;
      response.end();
    };
    expect(await ask(probe())).toBe(expected);
  });

  it('does not wait longer than it may', async () => {
    answer = () => undefined;
    expect(await ask({ ...probe(), timeout: 0.05 })).toBe('no');
  });

  it('knows nothing of a replica whose host cannot be reached, and that nobody listens at a closed port', async () => {
    expect(await ask(probe(), () => Promise.reject(new AgentUnreachableError('gone')))).toBe('unknown');
    expect(await ask(probe(), () => Promise.reject(new Error('connection refused')))).toBe('no');
  });

  it('of the port alone asks for a connection only', async () => {
    seen = undefined;
    expect(await ask(null)).toBe('yes');
    expect(await ask(null, () => Promise.reject(new Error('connection refused')))).toBe('no');
    expect(seen).toBeUndefined();
  });

  it('is given up with the replica', async () => {
    const stop = new AbortController();
    const asking = ask(probe(), open, stop.signal);
    stop.abort();
    expect(await asking).toBe('unknown');
  });
});
