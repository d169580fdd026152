import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentRequestError, AgentUnreachableError, StaleEpochError } from './agent-api.js';
import { createAgentClient } from './http-agent-client.js';

const never = new AbortController().signal;

describe('the client of an agent', () => {
  let dir: string;
  let server: http.Server;
  let handle: http.RequestListener;
  const socket = (): string => join(dir, 'agent.sock');

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'client-'));
    server = http.createServer((request, response) => {
      handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(socket(), resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  });

  it('sends the epoch it has at the moment of the request', async () => {
    const seen: unknown[] = [];
    handle = (request, response) => {
      seen.push(request.headers['x-dstack-epoch']);
      response.end('{"missing":[]}');
    };
    let epoch = 4;
    const client = createAgentClient({ connect: socket(), epoch: () => epoch });
    await client.desire([], never);
    epoch = 5;
    await client.desire([], never);
    expect(seen).toEqual(['4', '5']);
    client.close();
  });

  it.each([
    [409, { code: 'stale_epoch', message: 'm', currentEpoch: 9 }, StaleEpochError, { currentEpoch: 9 }],
    [404, { code: 'not_found', message: 'no job' }, AgentRequestError, { code: 'not_found', message: 'no job' }],
    [500, 'not even JSON', AgentRequestError, { status: 500, code: 'internal' }],
  ])('turns a reply of %d into its error', async (status, body, type, fields) => {
    handle = (_request, response) => {
      response.writeHead(status);
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const client = createAgentClient({ connect: socket(), epoch: 1 });
    const failure = await client.desire([], never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect(failure).toMatchObject(fields);
    client.close();
  });

  it('gives up on a reply that does not come', async () => {
    handle = () => undefined;
    const client = createAgentClient({ connect: socket(), epoch: 1, deadlineMs: 50 });
    await expect(client.info(never)).rejects.toThrow('no reply within 50 ms');
    client.close();
  });

  it('gives up on a connection that does not come, at its deadline and when it is no longer wanted', async () => {
    const client = createAgentClient({ connect: () => new Promise(() => undefined), epoch: 1, deadlineMs: 50 });
    await expect(client.info(never)).rejects.toThrow('no reply within 50 ms');
    await expect(client.openTcp('job', 80, never)).rejects.toThrow('no reply within 50 ms');
    const patient = createAgentClient({ connect: () => new Promise(() => undefined), epoch: 1 });
    const abort = new AbortController();
    const request = patient.info(abort.signal);
    abort.abort(new Error('no longer wanted'));
    await expect(request).rejects.toThrow('no longer wanted');
    client.close();
    patient.close();
  });

  it('ends a request with the reason of its signal', async () => {
    handle = () => undefined;
    const client = createAgentClient({ connect: socket(), epoch: 1 });
    const reason = new Error('changed my mind');
    const abort = new AbortController();
    const request = client.info(abort.signal);
    abort.abort(reason);
    await expect(request).rejects.toBe(reason);
    client.close();
  });

  it('says that an agent which is not there cannot be reached', async () => {
    const client = createAgentClient({ connect: join(dir, 'nothing.sock'), epoch: 1 });
    await expect(client.info(never)).rejects.toBeInstanceOf(AgentUnreachableError);
    client.close();
  });

  it('repeats a request on a pooled connection that the agent had closed', async () => {
    let requests = 0;
    handle = (request, response) => {
      requests++;
      if (requests === 2) request.socket.destroy();
      else response.end('{"missing":[]}');
    };
    const client = createAgentClient({ connect: socket(), epoch: 1 });
    await client.desire([], never);
    expect(await client.desire([], never)).toEqual({ missing: [] });
    expect(requests).toBe(3);
    client.close();
  });

  it('notices a control stream that has gone silent', async () => {
    handle = (_request, response) => {
      response.write('{"type":"heartbeat","at":1}\n{"type":"hea');
    };
    const client = createAgentClient({ connect: socket(), epoch: 1, silenceLimitMs: 100 });
    const events = client.events(never);
    expect((await events.next()).value).toEqual({ type: 'heartbeat', at: 1 });
    await expect(events.next()).rejects.toThrow('silent for 100 ms');
    client.close();
  });

  it('tells a log that is complete from one that broke', async () => {
    handle = (request, response) => {
      if (request.url?.includes('whole') === true) response.end();
      else {
        response.write(Buffer.alloc(3));
        setImmediate(() => response.destroy());
      }
    };
    const client = createAgentClient({ connect: socket(), epoch: 1 });
    expect(await client.logs('whole', 'job', 0, 10, never).next()).toMatchObject({ done: true });
    await expect(client.logs('broken', 'job', 0, 10, never).next()).rejects.toBeInstanceOf(AgentUnreachableError);
    client.close();
  });
});
