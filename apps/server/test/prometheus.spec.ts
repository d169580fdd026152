import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MetricsStore } from '../src/metrics/metrics-store.js';
import { PrometheusService } from '../src/metrics/prometheus/prometheus.service.js';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const OFFER = JSON.stringify({
  backend: 'local',
  price: 2,
  instance: {
    name: 'box',
    resources: { cpus: 8, memory_mib: 1024, spot: false, gpus: [{ name: 'T4', memory_mib: 16, vendor: 'nvidia' }] },
  },
});

/** Of the one that the compose file brings. */
function queriesOfDashboard(): string[] {
  const file = new URL('../../../docker/compose/grafana/dashboards/dstack.json', import.meta.url);
  return [...readFileSync(file, 'utf8').matchAll(/"(?:expr|query)": "((?:[^"\\]|\\.)*)"/g)].map(
    ([, query = '']) => query,
  );
}

describe.each(testDatabases())('a scrape on $name', ({ open }) => {
  it('tells of instances, runs and running jobs', async () => {
    const db = await open();
    const { jobId, projectId, runId, userId } = await seedJob(db);
    const instanceId = randomUUID();
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, backend_type, offer, price)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [instanceId, projectId, 0, 'box-0', 'busy', 1, 40_000, 'local', OFFER, 2],
      );
      await tx.execute('UPDATE runs SET run_spec = ? WHERE id = ?', ['{"configuration":{"type":"task"}}', runId]);
      await tx.execute('UPDATE jobs SET job_spec = ?, runtime_data = ?, running_at = ? WHERE id = ?', [
        '{"job_name":"train-0-0"}',
        `{"agent":null,"stopSent":null,"networkMode":"host","startError":null,"offer":${OFFER}}`,
        90_000,
        jobId,
      ]);
    });
    const store = new MetricsStore(db, realWorld());
    for (const [at, cpuUsageMicros] of [
      [95_000, 1e6],
      [99_000, 3e6],
    ] as const)
      await store.record(jobId, at, {
        cpuUsageMicros,
        memoryUsageBytes: 5,
        memoryWorkingSetBytes: 4,
        gpus: [{ memoryUsageBytes: 6, utilPercent: 50 }],
      });
    const clock = { now: () => 100_000, monotonic: () => 0 };
    const counts = {
      all: () => [
        { of: 'call', labels: { backend: 'aws', operation: 'create', outcome: 'ok' }, count: 2, seconds: 3 } as const,
      ],
    };
    const shipping = {
      sink: 'CloudWatch Logs',
      waitingBytes: 7,
      mostBytes: 9,
      shippedBytes: 5,
      refusedEvents: 1,
      failures: 0,
    };
    const text = await new PrometheusService(db, store, { clock }, counts, { state: async () => shipping }).text();
    const job = `dstack_project_name="main",dstack_user_name="user-${userId}",dstack_run_name="train",dstack_run_id="${runId}",dstack_job_name="train-0-0",dstack_job_id="${jobId}",dstack_job_num="0",dstack_replica_num="0",dstack_run_type="task",dstack_backend="remote",dstack_gpu="T4"`;
    for (const line of [
      `dstack_instance_duration_seconds_total{dstack_project_name="main",dstack_fleet_name="",dstack_fleet_id="",dstack_instance_name="box-0",dstack_instance_id="${instanceId}",dstack_instance_type="box",dstack_backend="remote",dstack_gpu="T4"} 60`,
      `dstack_run_count_total{dstack_project_name="main",dstack_user_name="user-${userId}"} 1`,
      `dstack_job_duration_seconds_total{${job}} 10`,
      `dstack_job_cpu_time_seconds_total{${job}} 3`,
      `dstack_job_gpu_usage_ratio{${job},dstack_gpu_num="0"} 0.5`,
      'dstack_server_cloud_calls_total{backend="aws",operation="create",outcome="ok"} 2',
      'dstack_server_cloud_calls_seconds_total{backend="aws",operation="create",outcome="ok"} 3',
      'dstack_server_log_waiting_bytes{sink="CloudWatch Logs"} 7',
      'dstack_server_log_refused_lines_total{sink="CloudWatch Logs"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    const asked = queriesOfDashboard().flatMap((query) => query.match(/\bdstack_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThan(10);
    const told = new Set(text.match(/\bdstack_\w+/g));
    expect(asked.filter((name) => !told.has(name))).toEqual([]);
  });
});

describe('GET /metrics', () => {
  it('is not there unless it is asked for', async () => {
    const server = await startTestServer();
    expect((await server.call('GET', '/metrics', { token: null })).status).toBe(404);
    await server.close();
  });

  it('answers in text, to everybody or to who has the token', async () => {
    const server = await startTestServer({ prometheusMetrics: true });
    const open = await server.call('GET', '/metrics', { token: null });
    expect(open).toMatchObject({ status: 200 });
    expect(open.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    process.env['DSTACK_PROMETHEUS_AUTH_TOKEN'] = 'scrape';
    try {
      const statuses = [null, 'other', server.adminToken, 'scrape'].map(
        async (token) => (await server.call('GET', '/metrics', { token })).status,
      );
      expect(await Promise.all(statuses)).toEqual([401, 403, 403, 200]);
    } finally {
      delete process.env['DSTACK_PROMETHEUS_AUTH_TOKEN'];
      await server.close();
    }
  });
});
