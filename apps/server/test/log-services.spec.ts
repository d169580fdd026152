import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GoogleRefusal } from '@dstack/cloud-fakes/gcp';
import { GoogleLoggingFake } from '@dstack/cloud-fakes/google-services';
import { ElasticsearchFake, FluentFake } from '@dstack/cloud-fakes/log-services';
import type { LogKey } from '../src/logs/log-store.js';
import { ElasticsearchReader } from '../src/logs/sinks/elasticsearch-reader.js';
import { FluentBitSink } from '../src/logs/sinks/fluentbit-sink.js';
import { GcpLoggingSink } from '../src/logs/sinks/gcp-logging-sink.js';
import { checkLogSink } from '../src/operations/check/check-kept-elsewhere.js';
import { readSettings } from '../src/settings/read-settings.js';
import { realWorld } from '../src/world/real-world.js';
import { useGoogleKey } from './support/log-sinks.js';

const key: LogKey = { projectName: 'main', runName: 'train', jobId: 'j1', stream: 'job' };
const events = [{ offset: 0, at: 1_500, text: 'hello\n' }];
const segment = { startOffset: 0, endOffset: 6, firstAt: 1_500, lastAt: 1_500 };
const tagged = { host: '127.0.0.1', tagPrefix: 'dstack', reader: null };
const check = (env: Record<string, string>) =>
  checkLogSink({ settings: readSettings(env).settings, world: realWorld(), print: () => true });

describe('Fluent Bit', () => {
  it('takes records by the forward protocol and says so', async () => {
    const fake = await FluentFake.start();
    const sink = new FluentBitSink({ ...tagged, port: fake.port, protocol: 'forward' });
    await sink.check();
    await sink.put(key, events);
    const record = {
      message: 'hello\n',
      '@timestamp': '1970-01-01T00:00:01.500Z',
      stream: 'main/train/j1/job',
      offset: 0,
    };
    expect(fake.received).toEqual([{ tag: 'dstack.main/train/j1/job', at: 1_500, record }]);
    fake.losesAnswers = true;
    await expect(sink.put(key, events)).rejects.toMatchObject({
      kind: 'outage',
      message: expect.stringContaining('closed before it was acknowledged') as string,
    });
    expect(await sink.get(key, segment)).toEqual([]);
    await fake.stop();
    expect(fake.violations).toEqual([]);
    await expect(sink.check()).rejects.toMatchObject({ kind: 'outage' });
    expect(await check({ DSTACK_SERVER_FLUENTBIT_HOST: '127.0.0.1', DSTACK_SERVER_FLUENTBIT_PORT: '1' })).toMatchObject(
      [{ subject: 'logs', level: 'warning' }],
    );
  });

  describe('by HTTP', () => {
    let server: Server;
    let status = 201;
    const requests: { readonly url: string | undefined; readonly body: unknown }[] = [];
    beforeAll(async () => {
      server = createServer((request: IncomingMessage, response) => {
        let text = '';
        request.on('data', (data: Buffer) => (text += data.toString()));
        request.on('end', () => {
          requests.push({ url: request.url, body: JSON.parse(text) as unknown });
          response.writeHead(status).end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('takes records, and is asked again unless it refuses them', async () => {
      const { port } = server.address() as AddressInfo; // it listens on TCP
      const sink = new FluentBitSink({ ...tagged, port, protocol: 'http' });
      await sink.put(key, events);
      expect(requests).toMatchObject([{ url: '/dstack.main/train/j1/job', body: [{ message: 'hello\n', offset: 0 }] }]);
      for (const [answer, kind] of [
        [503, 'outage'],
        [400, 'refused'],
      ] as const) {
        status = answer;
        await expect(sink.put(key, events)).rejects.toMatchObject({ kind });
      }
    });
  });
});

it('Elasticsearch says when it does not let the server in, and an index that is not there is empty', async () => {
  const fake = await ElasticsearchFake.start();
  const { url: host, index, apiKey } = fake;
  await expect(new ElasticsearchReader({ host, index, apiKey: 'wrong' }).check()).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('DSTACK_SERVER_ELASTICSEARCH_API_KEY') as string,
  });
  expect(await new ElasticsearchReader({ host, index: 'other', apiKey }).read('s', segment)).toEqual([]);
  fake.failure = 503;
  await expect(new ElasticsearchReader({ host, index, apiKey }).check()).rejects.toMatchObject({ kind: 'outage' });
  await fake.close();
  expect(fake.violations).toEqual([]);
});

it('Google says what is wrong: quota, role, project', async () => {
  const fake = await GoogleLoggingFake.start();
  const forget = useGoogleKey(fake.key.file);
  const sink = new GcpLoggingSink({ project: fake.project, endpoint: fake.url });
  fake.refusals.push(new GoogleRefusal(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric'));
  await expect(sink.get(key, segment)).rejects.toMatchObject({
    kind: 'outage',
    message: expect.stringContaining("Google's quota is used up") as string,
  });
  const env = { DSTACK_SERVER_BACKEND_ENDPOINTS: `gcp-logging=${fake.url}` };
  expect(await check({ ...env, DSTACK_SERVER_GCP_LOGGING_PROJECT: fake.project })).toMatchObject([{ level: 'ok' }]);
  const [other] = await check({ ...env, DSTACK_SERVER_GCP_LOGGING_PROJECT: 'other' });
  expect(other).toMatchObject({ level: 'error', text: expect.stringMatching(/roles logging.logWriter/) as string });
  expect(fake.entries).toEqual([]);
  forget();
  await fake.close();
  expect(fake.violations).toEqual([]);
});
