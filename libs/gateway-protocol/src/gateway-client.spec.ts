import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayRequestError, GatewayUnreachableError, StaleRevisionError } from './gateway-api.js';
import { createGatewayClient } from './gateway-client.js';

const directory = mkdtempSync(join(tmpdir(), 'gw-client-'));
const socketPath = join(directory, 'gateway.sock');
const signal = new AbortController().signal;
let server: Server | null = null;

async function serve(listener: RequestListener) {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
  return createGatewayClient({ connect: socketPath });
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('asks, and gives what is answered', async () => {
  const seen: string[] = [];
  const client = await serve((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.end('{"cursor":5,"services":[]}');
  });
  expect(await client.stats({ after: 4, waitMs: 0 }, signal)).toEqual({ cursor: 5, services: [] });
  expect(seen).toEqual(['GET /v1/stats?after=4&wait=0']);
});

it('tells a state that is too old from one that is wrong, and both from a gateway that is not there', async () => {
  let body = '{"code":"stale_revision","message":"","currentRevision":9}';
  const client = await serve((_request, response) => response.writeHead(409).end(body));
  const put = (): Promise<void> => client.putAccess({ revision: 1, tokens: [] }, signal);
  await expect(put()).rejects.toEqual(new StaleRevisionError(9));
  body = '{"code":"bad_request","message":"not a state: revision"}';
  await expect(put()).rejects.toEqual(new GatewayRequestError(409, 'bad_request', 'not a state: revision'));
  await expect(createGatewayClient({ connect: `${socketPath}.none` }).info(signal)).rejects.toThrow(
    GatewayUnreachableError,
  );
});

it('gives up when it is told to', async () => {
  const client = await serve(() => undefined);
  const giveUp = new AbortController();
  const asked = client.status({ after: 0, waitMs: 10_000 }, giveUp.signal);
  giveUp.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
