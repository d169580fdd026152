import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient, CreateLogGroupCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GoogleLoggingFake } from '@dstack/cloud-fakes/google-services';
import { ElasticsearchFake, FluentFake, type IndexedRecord } from '@dstack/cloud-fakes/log-services';
import { Moto } from '@dstack/cloud-fakes/moto';
import { Way } from './way.js';

/** A service that keeps the logs of a server's jobs, with the ways to it. */
export interface LogService {
  /** Of the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly ways: readonly Way[];
  /** What it has of a job's log, in its order. */
  kept(run: string, jobId: string): Promise<string>;
  /** @throws {Error} when it was asked for what its makers do not describe */
  stop(): Promise<void>;
}

export const LOG_GROUP = '/dstack/jobs';

export async function cloudWatch(): Promise<LogService & { makeGroup(): Promise<void> }> {
  const moto = await Moto.start();
  const way = await Way.to(moto.url);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new CloudWatchLogsClient({ region: 'us-east-1', endpoint: moto.url, credentials });
  return {
    env: {
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      DSTACK_SERVER_CLOUDWATCH_LOG_GROUP: LOG_GROUP,
      DSTACK_SERVER_CLOUDWATCH_LOG_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: way.url,
    },
    ways: [way],
    makeGroup: async () => void (await client.send(new CreateLogGroupCommand({ logGroupName: LOG_GROUP }))),
    kept: async (run, jobId) => {
      const asked = { logGroupName: LOG_GROUP, logStreamName: `main/${run}/${jobId}/job`, startFromHead: true };
      const messages: string[] = [];
      for (let nextToken: string | undefined; ;) {
        const page = await client.send(new GetLogEventsCommand({ ...asked, nextToken })).catch(() => null);
        messages.push(...(page?.events ?? []).map(({ message }) => message ?? ''));
        if (page === null || page.nextForwardToken === nextToken) return messages.join('');
        nextToken = page.nextForwardToken;
      }
    },
    stop: async () => {
      client.destroy();
      await way.close();
      await moto.stop();
    },
  };
}

export async function googleLogging(): Promise<LogService> {
  const fake = await GoogleLoggingFake.start();
  const way = await Way.to(fake.url);
  const dir = mkdtempSync(join(tmpdir(), 'dstack-google-'));
  writeFileSync(join(dir, 'key.json'), fake.key.file);
  return {
    env: {
      GOOGLE_APPLICATION_CREDENTIALS: join(dir, 'key.json'),
      DSTACK_SERVER_GCP_LOGGING_PROJECT: fake.project,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `gcp-logging=${way.url}`,
    },
    ways: [way],
    kept: async (run, jobId) => {
      const entries = fake.entries.filter(({ labels }) => labels?.['stream'] === `main-${run}-${jobId}-job`);
      // Google has one of those with the same time and id.
      const single = new Map(entries.map((entry) => [`${entry.timestamp} ${entry.insertId}`, entry.textPayload]));
      return [...single].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text).join(''); // prettier-ignore
    },
    stop: async () => {
      await way.close();
      await fake.close();
      rmSync(dir, { recursive: true });
      if (fake.violations.length > 0) throw new Error(fake.violations.join('\n'));
    },
  };
}

/** As Fluent Bit is configured in docs/guides/log-storage.md: what it takes is in the index. */
export async function fluentBit(): Promise<LogService> {
  const [fluent, elasticsearch] = [await FluentFake.start(), await ElasticsearchFake.start()];
  const records = (): IndexedRecord[] => fluent.received.map(({ record }) => record as unknown as IndexedRecord); // as they were sent
  Object.defineProperty(elasticsearch, 'records', { get: records });
  const [toFluent, toIndex] = [await Way.to(fluent.port), await Way.to(elasticsearch.url)];
  return {
    env: {
      DSTACK_SERVER_FLUENTBIT_HOST: '127.0.0.1',
      DSTACK_SERVER_FLUENTBIT_PORT: String(toFluent.port),
      DSTACK_SERVER_ELASTICSEARCH_HOST: toIndex.url,
      DSTACK_SERVER_ELASTICSEARCH_INDEX: elasticsearch.index,
      DSTACK_SERVER_ELASTICSEARCH_API_KEY: elasticsearch.apiKey,
    },
    ways: [toFluent, toIndex],
    kept: async (run, jobId) => {
      const found = records().filter(({ stream }) => stream === `main/${run}/${jobId}/job`);
      // A request whose answer was lost is there twice.
      const single = new Map(found.map((record) => [record.offset ?? 0, record.message]));
      return [...single].sort(([a], [b]) => a - b).map(([, text]) => text).join(''); // prettier-ignore
    },
    stop: async () => {
      for (const way of [toFluent, toIndex]) await way.close();
      await fluent.stop();
      await elasticsearch.close();
      const violations = [...fluent.violations, ...elasticsearch.violations];
      if (violations.length > 0) throw new Error(violations.join('\n'));
    },
  };
}
