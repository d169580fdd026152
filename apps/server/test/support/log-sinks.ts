import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GoogleLoggingFake } from '@dstack/cloud-fakes/google-services';
import { ElasticsearchFake, FluentFake, type IndexedRecord } from '@dstack/cloud-fakes/log-services';
import { Moto, whyNoMoto } from '@dstack/cloud-fakes/moto';
import { CloudWatchSink } from '../../src/logs/sinks/cloudwatch-sink.js';
import { ElasticsearchReader } from '../../src/logs/sinks/elasticsearch-reader.js';
import { FluentBitSink } from '../../src/logs/sinks/fluentbit-sink.js';
import { GcpLoggingSink } from '../../src/logs/sinks/gcp-logging-sink.js';
import type { LogSink } from '../../src/logs/sinks/log-sink.js';

export interface OpenedSink {
  readonly sink: LogSink;
  /** What the service calls the logs that it has. */
  stop(): Promise<void>;
}

export interface SinkKind {
  readonly name: string;
  open(): Promise<OpenedSink>;
}

/** The services that keep logs, each on this machine: moto for AWS (in the full run), fakes for the others. */
export function sinkKinds(): SinkKind[] {
  const isFull = process.env['DSTACK_TEST_FULL'] !== undefined;
  const why = isFull ? whyNoMoto() : 'it is part of the full run';
  if (isFull && why !== null) console.warn(`CloudWatch Logs was not tried on moto: ${why}`);
  return [
    ...(why === null ? [{ name: 'CloudWatch Logs (moto)', open: openCloudWatch }] : []),
    { name: 'Google Cloud Logging', open: openGoogle },
    { name: 'Fluent Bit and Elasticsearch', open: openFluent },
  ];
}

async function openCloudWatch(): Promise<OpenedSink> {
  process.env['AWS_ACCESS_KEY_ID'] = 'a';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'b';
  const moto = await Moto.start();
  const client = new CloudWatchLogsClient({ region: 'us-east-1', endpoint: moto.url });
  await client.send(new CreateLogGroupCommand({ logGroupName: '/dstack/jobs' }));
  client.destroy();
  const options = { region: 'us-east-1', clock: { now: () => Date.now() }, endpoint: moto.url };
  const sink = await CloudWatchSink.open({ group: '/dstack/jobs', ...options });
  return { sink, stop: () => moto.stop() };
}

async function openGoogle(): Promise<OpenedSink> {
  const fake = await GoogleLoggingFake.start();
  const forget = useGoogleKey(fake.key.file);
  return {
    sink: new GcpLoggingSink({ project: fake.project, endpoint: fake.url }),
    stop: async () => {
      forget();
      await fake.close();
      if (fake.violations.length > 0) throw new Error(fake.violations.join('\n'));
    },
  };
}

/** As the machine's default credentials; returns how to take them away. */
export function useGoogleKey(file: string): () => void {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-google-'));
  writeFileSync(join(dir, 'key.json'), file);
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(dir, 'key.json');
  return () => {
    delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    rmSync(dir, { recursive: true });
  };
}

async function openFluent(): Promise<OpenedSink> {
  const [fluent, elasticsearch] = [await FluentFake.start(), await ElasticsearchFake.start()];
  // What Fluent Bit does with its `es` output.
  Object.defineProperty(elasticsearch, 'records', {
    get: () => fluent.received.map(({ record }) => record as unknown as IndexedRecord), // as they were sent
  });
  const { index, apiKey } = elasticsearch;
  const reader = new ElasticsearchReader({ host: elasticsearch.url, index, apiKey });
  const options = { host: '127.0.0.1', port: fluent.port, protocol: 'forward', tagPrefix: 'dstack' } as const;
  return {
    sink: new FluentBitSink({ ...options, reader }),
    stop: async () => {
      await fluent.stop();
      if (fluent.violations.length > 0) throw new Error(fluent.violations.join('\n'));
      await elasticsearch.close();
      if (elasticsearch.violations.length > 0) throw new Error(elasticsearch.violations.join('\n'));
    },
  };
}
