import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsFake } from '@dstack/cloud-fakes/aws';
import { Ec2 } from '../src/client.js';

/** Only the proxy knows where this is. */
const ENDPOINT = 'http://ec2.cloud.test';

it('AWS is reached through the proxy of the environment', async () => {
  const aws = await AwsFake.start({
    accessKey: 'AKIAFAKE',
    boot: () => Promise.reject(new Error('nothing is made')),
    halt: async () => undefined,
  });
  const asked: string[] = [];
  const proxy = http.createServer((request, response) => {
    const url = new URL(request.url ?? '');
    asked.push(url.host);
    const { pathname, search } = url;
    const onward = http.request(new URL(pathname + search, aws.url), {
      method: request.method,
      headers: request.headers,
    });
    onward.on('response', (reply) => reply.pipe(response.writeHead(reply.statusCode ?? 502, reply.headers)));
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const before = { ...process.env };
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    const credentials = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'secret' };
    const client = new Ec2('us-east-1', { credentials, endpoint: ENDPOINT, now: Date.now });
    const zones = await client.zones({ signal: AbortSignal.timeout(10_000), deadline: Date.now() + 10_000 });
    client.close();
    expect(zones).toContain('us-east-1a');
    expect(new Set(asked)).toEqual(new Set(['ec2.cloud.test']));
  } finally {
    process.env = before;
    proxy.closeAllConnections();
    proxy.close();
    await aws.close();
  }
});
