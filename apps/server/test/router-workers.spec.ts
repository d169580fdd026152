import { randomUUID } from 'node:crypto';
import { EventRecorder } from '../src/events/event-recorder.js';
import { Notices } from '../src/reconcile/notices.js';
import { ServerIdentity } from '../src/reconcile/server-identity.js';
import type { GrpcAnswer, GrpcQuestion } from '../src/services/grpc-call.js';
import type { ProbeTarget } from '../src/services/probe-asker.js';
import { type ReplicaAnswer, ReplicaHttp, type ReplicaQuestion } from '../src/services/replica-http.js';
import { RouterWorkers } from '../src/services/router-workers.js';
import { realWorld } from '../src/world/real-world.js';
import { databasesOfLongStories } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

/** A router's control API as sglang-router has it, and `/server_info` of its workers. */
class Stub extends ReplicaHttp {
  readonly workers = new Map<string, Record<string, unknown>>([['old', { url: 'http://10.9.9.9:8000' }]]);
  readonly infos = new Map<string, ReplicaAnswer>();
  /** Of those who speak gRPC, by job and method. */
  readonly answers = new Map<string, GrpcAnswer>();
  status = 202;

  override ask({ jobId }: ProbeTarget, { method, path, body }: ReplicaQuestion): Promise<ReplicaAnswer> {
    const say = (status: number, value: unknown) => Promise.resolve({ status, text: JSON.stringify(value) });
    const [, root, id = ''] = path.split('/');
    if ([...this.answers.keys()].some((key) => key.startsWith(jobId)))
      return Promise.reject(new Error('Parse Error: Expected HTTP/'));
    if (root === 'server_info' || root === 'get_server_info')
      return Promise.resolve(this.infos.get(`${jobId} ${root}`) ?? { status: 404, text: '' });
    if (method === 'GET') {
      const workers = [...this.workers].map(([key, worker]) => ({
        id: key,
        model_id: 'm',
        is_healthy: true,
        ...worker,
      }));
      return say(200, { workers, total: workers.length, stats: {} });
    }
    if (method === 'DELETE') return say(this.workers.delete(id) ? 202 : 404, { status: 'accepted', worker_id: id });
    if (this.status !== 202) return say(this.status, { error: 'worker limit', code: 'BAD' });
    const made = randomUUID();
    this.workers.set(made, body as Record<string, unknown>); // what this server sends
    return say(202, { status: 'accepted', worker_id: made });
  }

  override call({ jobId }: ProbeTarget, { method }: GrpcQuestion): Promise<GrpcAnswer> {
    const unknown: GrpcAnswer = { status: 12, message: null, text: 'unimplemented' };
    return Promise.resolve(this.answers.get(`${jobId} ${method}`) ?? unknown);
  }

  shown(): unknown[] {
    return [...this.workers.values()].sort((a, b) => (String(a['url']) < String(b['url']) ? -1 : 1));
  }
}

const GROUPS = [
  { name: 'r', count: { min: 1, max: 1 }, router: { type: 'sglang' } },
  { name: 'w', count: { min: 0, max: 4 } },
];

describe.each(databasesOfLongStories())('the workers of a router on $name', ({ open }) => {
  const world = realWorld();

  async function scene() {
    const db = await open();
    const { runId, jobId, projectId } = await seedJob(db);
    const me = new ServerIdentity(world);
    const notices = new Notices();
    const stub = new Stub();
    const settings = { eventsTtlSeconds: 1000 };
    const routers = new RouterWorkers(db, stub, new EventRecorder(world, settings), me, notices, world);
    const instanceId = randomUUID();
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, backend_type, connection_holder)
         VALUES (?, ?, 0, 'one', 'busy', 1, 1, 'ssh', ?)`,
        [instanceId, projectId, me.holder],
      );
      await tx.execute('UPDATE runs SET run_spec = ? WHERE id = ?', [
        JSON.stringify({ configuration: { type: 'service', port: 8000, replicas: GROUPS } }),
        runId,
      ]);
      await tx.execute(
        `UPDATE jobs SET instance_id = ?, replica_group = 'r', registered = ?, probes = '[]', job_spec = '{"service_port":8000}' WHERE id = ?`,
        [instanceId, true, jobId],
      );
    });
    let workers = 0;
    const worker = async (ip: string, info: object | null, path = 'server_info') => {
      const id = randomUUID();
      if (info !== null) stub.infos.set(`${id} ${path}`, { status: 200, text: JSON.stringify(info) });
      await db.write((tx) =>
        tx.execute(
          `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec,
             instance_id, replica_group, registered, probes, provisioning_data)
           SELECT ?, run_id, project_id, 0, ?, 0, 'running', 1, 1, job_spec, instance_id, 'w', ?, '[]', ? FROM jobs WHERE id = ?`,
          [id, (workers += 1), true, JSON.stringify({ internal_ip: ip }), jobId],
        ),
      );
      return id;
    };
    const tell = () => notices.notifyOfReplicas(runId);
    return { db, stub, routers, worker, tell };
  }

  it('are those that are ready, by what they say of themselves', async () => {
    const { db, stub, routers, worker, tell } = await scene();
    await worker('10.0.0.1', { status: 'ready', disaggregation_mode: 'prefill', disaggregation_bootstrap_port: 8998 });
    const decoding = await worker('10.0.0.2', { disaggregation_mode: 'decode' }, 'get_server_info');
    await worker('10.0.0.3', { status: 'loading' });
    routers.start();
    await until(() => stub.workers.size === 2 && !stub.workers.has('old'));
    expect(stub.shown()).toEqual([
      { url: 'http://10.0.0.1:8000', worker_type: 'prefill', bootstrap_port: 8998 },
      { url: 'http://10.0.0.2:8000', worker_type: 'decode' },
    ]);
    // One that drains gets nothing any more.
    await db.write((tx) => tx.execute('UPDATE jobs SET draining_since = 1 WHERE id = ?', [decoding]));
    tell();
    await until(() => stub.workers.size === 1);
    await routers.stop();
    expect(stub.shown()).toMatchObject([{ url: 'http://10.0.0.1:8000' }]);
  });

  it('are also those that speak gRPC, of SGLang and of vLLM', async () => {
    const { db, stub, routers, worker } = await scene();
    const [sglang, vllm, starting, strange] = await Promise.all(
      ['1', '2', '3', '4'].map((end) => worker(`10.0.0.${end}`, null)),
    );
    // `kv_role` is field 7: kv_consumer.
    const decode = Buffer.from('\x3a\x0bkv_consumer', 'latin1');
    stub.answers.set(`${sglang} /sglang.grpc.scheduler.SglangScheduler/GetServerInfo`, {
      status: 0,
      message: Buffer.alloc(0),
    });
    stub.answers.set(`${vllm} /vllm.grpc.engine.VllmEngine/GetServerInfo`, { status: 0, message: decode });
    stub.answers.set(`${starting} /sglang.grpc.scheduler.SglangScheduler/GetServerInfo`, {
      status: 14,
      message: null,
      text: 'loading',
    });
    stub.answers.set(`${strange} /other`, { status: 0, message: decode });
    routers.start();
    await until(() => stub.workers.size === 2 && !stub.workers.has('old'));
    expect(stub.shown()).toEqual([
      { url: 'grpc://10.0.0.1:8000', worker_type: 'regular' },
      { url: 'grpc://10.0.0.2:8000', worker_type: 'decode' },
    ]);
    const told = () =>
      db.read((tx) => tx.query<{ message: string }>(`SELECT message FROM events WHERE message LIKE '%router%'`));
    await until(async () => (await told()).length > 0);
    await routers.stop();
    expect((await told()).map(({ message }) => message)).toEqual([
      expect.stringContaining('10.0.0.4:8000: the worker speaks gRPC, but neither'),
    ]);
  });

  it('that the router does not take are an event of the run, once', async () => {
    const { db, stub, routers, worker, tell } = await scene();
    stub.status = 400;
    await worker('10.0.0.1', { status: 'ready' });
    const events = () =>
      db.read((tx) => tx.query<{ message: string }>(`SELECT message FROM events WHERE message LIKE '%router%'`));
    routers.start();
    await until(async () => (await events()).length > 0);
    tell();
    stub.status = 202;
    await until(() => stub.workers.size === 1 && !stub.workers.has('old'));
    await routers.stop();
    const told = await events();
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toContain('POST /workers was answered with 400');
  });
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
