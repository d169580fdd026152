import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { withLogFields } from '../src/bootstrap/log-fields.js';
import { readTelemetry } from '../src/settings/telemetry-settings.js';
import { scrubber } from '../src/telemetry/scrub.js';
import { traced } from '../src/telemetry/traced.js';
import { tracedCompute } from '../src/telemetry/traced-compute.js';
import { OtlpReceiver } from './support/otlp-receiver.js';
import { startTestServer } from './support/start-test-server.js';

describe('what OpenTelemetry is told', () => {
  let receiver: OtlpReceiver;
  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, DSTACK_SERVER_ENVIRONMENT: 'staging' };
    const telemetry = { ...readTelemetry(env), secrets: ['s3cr3t-value'] };
    const server = await startTestServer({ telemetry, logLevel: 'ERROR', logFormat: 'json' });
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    await server.call('POST', '/api/project/main/fleets/list?secret=in-the-query', { body: {}, headers });
    await server.call('GET', '/healthcheck');
    const gateways = { balancers: { leave: () => Promise.resolve('left') } };
    const cloud = tracedCompute('aws', { terminate: () => Promise.resolve('done'), gateways });
    const work = { name: 'reconcile jobs', kind: 'background', attributes: { 'dstack.job_id': 'job-1' } } as const;
    const output = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    await withLogFields({ job_id: 'job-1', run_id: 'run-1' }, () =>
      traced(work, async () => {
        await cloud.terminate();
        await cloud.gateways.balancers.leave();
        new Logger('Test').error('it failed with s3cr3t-value');
      }),
    );
    output.mockRestore();
    await server.close();
  }, 30_000);
  afterAll(async () => {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    await receiver.stop();
  });

  it('names the server', () => {
    expect(receiver.resource).toMatchObject({
      'service.name': 'dstack-server',
      'service.version': expect.stringMatching(/^\d+\./) as string,
      'deployment.environment.name': 'staging',
    });
  });

  it('has requests by their routes, as part of the trace of who asked, without what they hold', () => {
    const span = receiver.spans.find(({ name }) => name === 'POST /api/project/:project_name/fleets/list');
    expect(span).toMatchObject({
      kind: 2,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      attributes: { 'http.response.status_code': '200', 'http.request.method': 'POST' },
    });
    expect(JSON.stringify(receiver.spans)).not.toMatch(/in-the-query|healthcheck/);
  });

  it.each(['terminate', 'gateways.balancers.leave'])(
    'has calls to clouds as part of the pass that made them: %s',
    (operation) => {
      const pass = receiver.spans.find(({ name }) => name === 'reconcile jobs');
      expect(pass?.attributes).toMatchObject({ 'dstack.job_id': 'job-1' });
      expect(receiver.spans.find(({ name }) => name === `aws ${operation}`)).toMatchObject({
        kind: 3,
        traceId: pass?.traceId,
        parentSpanId: pass?.spanId,
        attributes: { 'dstack.backend': 'aws', 'dstack.operation': operation },
      });
    },
  );

  it('has lines of the log with what they are about, and no secrets', () => {
    const pass = receiver.spans.find(({ name }) => name === 'reconcile jobs');
    expect(receiver.lines).toContainEqual({
      body: 'it failed with …',
      severity: 'ERROR',
      traceId: pass?.traceId,
      attributes: { 'dstack.context': 'Test', 'dstack.job_id': 'job-1', 'dstack.run_id': 'run-1' },
    });
  });

  it('has how long things take', () => {
    expect(receiver.metrics).toEqual(
      expect.arrayContaining([
        'http.server.request.duration',
        'dstack.reconcile.duration',
        'dstack.cloud.call.duration',
      ]),
    );
  });
});

describe('what Sentry is told', () => {
  let endpoint: Server;
  const envelopes: string[] = [];
  beforeAll(async () => {
    endpoint = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        if (request.url?.startsWith('/api/7/envelope/') === true) envelopes.push(text);
        response.writeHead(200).end('{}');
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const { port } = endpoint.address() as AddressInfo;
    const env = {
      DSTACK_SENTRY_DSN: `http://thepublickey@127.0.0.1:${port}/7`,
      DSTACK_SENTRY_TRACES_SAMPLE_RATE: '1',
      DSTACK_SENTRY_TRACES_BACKGROUND_SAMPLE_RATE: '0',
    };
    const telemetry = { ...readTelemetry(env), secrets: ['s3cr3t-value'] };
    const server = await startTestServer({ telemetry, logLevel: 'ERROR' });
    const output = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    withLogFields({ run_id: 'run-1' }, () =>
      new Logger('Test').error(
        'a pass failed',
        new RangeError('no room for s3cr3t-value: Authorization: Bearer abc.def'),
      ),
    );
    await server.call('POST', '/api/projects/list', { body: {} });
    await traced({ name: 'never sampled', kind: 'background', attributes: {} }, async () => undefined);
    output.mockRestore();
    await server.close();
  }, 30_000);
  afterAll(async () => {
    endpoint.closeAllConnections();
    await new Promise((resolve) => endpoint.close(resolve));
  });

  const items = () =>
    envelopes.flatMap((envelope) => {
      const [, header = '{}', body = '{}'] = envelope.split('\n');
      return [{ ...(JSON.parse(header) as { type: string }), event: JSON.parse(body) as Record<string, unknown> }];
    });

  it('has errors with what they are about, and no secrets', () => {
    const error = items().find(({ type }) => type === 'event')?.event;
    expect(error).toMatchObject({
      tags: { context: 'Test', run_id: 'run-1' },
      extra: { line: 'a pass failed' },
      exception: { values: [{ type: 'RangeError', value: 'no room for …: Authorization: Bearer …' }] },
    });
    expect(envelopes.join('\n')).not.toMatch(/s3cr3t-value|abc\.def/);
  });

  it('has so many of the requests as it shall', () => {
    const names = items().filter(({ type }) => type === 'transaction').map(({ event }) => event['transaction']); // prettier-ignore
    expect(names).toContain('POST /api/projects/list');
    expect(names).not.toContain('never sampled');
  });
});

describe('telemetry', () => {
  it.each<[string, Record<string, string>, unknown]>([
    ['nothing', {}, null],
    [
      'all of it, where there is an address',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' },
      { logs: true, metrics: true },
    ],
    ['what is switched on', { DSTACK_OTEL_LOGS_ENABLED: '1' }, { traces: null, logs: true, metrics: false }],
    ['what is not excepted', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_LOGS_EXPORTER: 'none' }, { logs: false, metrics: true }], // prettier-ignore
    ['nothing when the SDK is off', { DSTACK_OTEL_TRACES_ENABLED: '1', OTEL_SDK_DISABLED: 'true' }, null],
    ['rates', { DSTACK_OTEL_TRACES_ENABLED: '1', DSTACK_OTEL_TRACES_SAMPLE_RATE: '0.5' }, { traces: { requests: 0.5, background: 1 } }], // prettier-ignore
  ])('is %s by its settings', (_what, env, expected) => {
    const { otel } = readTelemetry(env);
    if (expected === null) expect(otel).toBeNull();
    else expect(otel).toMatchObject(expected as object);
  });

  it('refuses a DSN or a rate that cannot be', () => {
    expect(() => readTelemetry({ DSTACK_SENTRY_DSN: 'sentry.io' })).toThrow(/DSTACK_SENTRY_DSN must be like/);
    expect(() => readTelemetry({ DSTACK_OTEL_TRACES_ENABLED: '', DSTACK_OTEL_TRACES_SAMPLE_RATE: '2' })).toThrow(
      /0 to 1/,
    );
  });

  it.each([
    ['a value known to be secret', 'postgres said hunter22', 'postgres said …'],
    ['a token', 'sent authorization: Bearer eyJh.x.y', 'sent authorization: Bearer …'],
    ['credentials in a URL', 'postgresql://u:p4ss@db/x', 'postgresql://…@db/x'],
    ['what is named so', '{"api_key":"abc","name":"x"}', '{"api_key":"…","name":"x"}'],
    ['nothing else', 'Run train failed at 10:20', 'Run train failed at 10:20'],
  ])('leaves out %s', (_what, text, clean) => {
    expect(scrubber(['hunter22', 'abc'])(text)).toBe(clean);
  });
});
