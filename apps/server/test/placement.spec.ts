import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { findJobs } from '../src/jobs/job-record.js';
import { releaseInstance } from '../src/jobs/release-instance.js';
import { PlacementPass } from '../src/placement/placement-pass.js';
import { Wake } from '../src/reconcile/wake.js';
import { giveHosts } from './support/given-hosts.js';
import { offerTo, someOffer } from './support/offered-backend.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

type Run = Wire.Run & { pending_reasons: string[] };

describe.each(testDatabases())('placement on $name', ({ location }) => {
  let server: TestServer;
  let offered: ReturnType<typeof someOffer>[] = [];
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), backgroundProcessing: false, localBackend: false });
    offered = [];
    offerTo(server, () => offered);
  });
  afterEach(() => server.close());

  const project = (path: string, body: object) => server.post(`/api/project/main/${path}`, body);
  const resources = { cpu: '1..', memory: '0.1GB..', disk: null };
  const apply = async (name: string, more: object = {}) => {
    const configuration = { type: 'task', commands: ['true'], resources, ...more };
    const reply = await project('runs/apply', { plan: { run_spec: { run_name: name, configuration } }, force: false });
    if (reply.status !== 200) throw new Error(reply.text);
  };
  const place = () => server.app.get(PlacementPass).run({ hasNews: true });
  const run = async (name: string) => (await project('runs/get', { run_name: name })).body as Run;
  const gpus = (count: number) => ({ resources: { ...resources, gpu: `${count}..` } });
  const seats = async (name: string): Promise<string[]> => {
    const rows = await server.db.read((tx) =>
      tx.query<{ name: string }>(
        `SELECT i.name FROM jobs j JOIN instances i ON i.id = j.instance_id JOIN runs r ON r.id = j.run_id WHERE r.name = ? ORDER BY j.job_num`,
        [name],
      ),
    );
    return rows.map((row) => row.name);
  };
  const events = async (): Promise<string[]> => {
    const { body } = await server.post('/api/events/list', { ascending: true, limit: 100 });
    return (body as Wire.Event[]).map((event) => event.message).filter((message) => message.startsWith('No capacity'));
  };

  it('says why a run waits and what would free capacity, until it is placed', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': { gpus: 8, blocks: 8 }, '127.0.0.2': {}, '127.0.0.3': { gpus: 8 } });
    await server.db.write(async (tx) => {
      await tx.execute(`UPDATE instances SET unreachable_since = ? WHERE name = 'lab-2'`, [Date.UTC(2026, 0, 2, 3, 4)]);
    });
    await apply('train', gpus(7));
    await place();
    await apply('eval', gpus(2));
    await place();
    const reasons = [
      'host lab-0: 2 gpus needed, 1 of 8 free',
      'would fit after run train (admin): lab-0',
      'host lab-2: unreachable since 2026-01-02 03:04 UTC',
      'host lab-1: gpus 0 not in 2..',
    ];
    expect((await run('eval')).pending_reasons).toEqual(reasons);
    expect((await run('eval')).latest_job_submission?.termination_reason_message).toBe(reasons.slice(0, 3).join('; '));
    expect((await run('train')).pending_reasons).toEqual([]);
    expect(await events()).toEqual([`No capacity for the run: ${reasons.join('; ')}`]);
    // The same refusal again is no news; a seat takes the reasons away.
    const again = () => server.db.write((tx) => tx.execute(`UPDATE jobs SET status = 'submitted', termination_reason = NULL WHERE instance_id IS NULL`)); // prettier-ignore
    await again();
    await place();
    expect(await events()).toHaveLength(1);
    await server.db.write((tx) => tx.execute(`UPDATE instances SET unreachable_since = NULL WHERE name = 'lab-2'`));
    await again();
    await place();
    expect(await seats('eval')).toEqual(['lab-2']);
    expect((await run('eval')).pending_reasons).toEqual([]);
  });

  it('waits for a machine that was lost a moment ago, and refuses when it stays away', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': {} });
    const lostFor = (seconds: number | null) =>
      server.db.write(async (tx) => {
        const since = seconds === null ? null : (await tx.now()) - seconds * 1000;
        await tx.execute(`UPDATE instances SET unreachable_since = ?`, [since]);
      });
    const status = async (name: string) => (await run(name)).latest_job_submission?.status;
    await lostFor(10);
    for (const name of ['back', 'never']) await apply(name);
    await place();
    expect(await Promise.all(['back', 'never'].map(status))).toEqual(['submitted', 'submitted']);
    expect((await run('back')).pending_reasons[0]).toContain('unreachable since');
    await lostFor(null);
    await place();
    expect(await seats('back')).toEqual(['lab-0']);
    await lostFor(3600);
    await apply('late');
    await place();
    expect(await status('late')).not.toBe('submitted');
  });

  it('gives machines that are made together to as many nodes, in the order of the nodes', async () => {
    offered = [someOffer({ group_nodes: { min: 2, max: 2 }, price: 0.5 })];
    await apply('slice', { nodes: 2 });
    await apply('alone');
    await apply('more', { nodes: 3 });
    await place();
    const rows = await server.db.read((tx) =>
      tx.query<{ job: number; is_of_first: boolean | number; group_rank: number; group_size: number }>(
        `SELECT j.job_num AS job, i.group_rank, i.group_size, i.group_id = (SELECT id FROM instances WHERE group_rank = 0) AS is_of_first
         FROM jobs j JOIN instances i ON i.id = j.instance_id ORDER BY j.job_num`,
      ),
    );
    expect(rows.map((row) => ({ ...row, is_of_first: Boolean(row.is_of_first) }))).toEqual([
      { job: 0, is_of_first: true, group_rank: 0, group_size: 2 },
      { job: 1, is_of_first: true, group_rank: 1, group_size: 2 },
    ]);
    for (const name of ['alone', 'more'])
      expect((await run(name)).latest_job_submission?.termination_reason).toMatch(/no_capacity/);
  });

  it('makes them in a fleet that has none, within what it may have, and refuses a fleet that would keep some', async () => {
    offered = [someOffer({ group_nodes: { min: 2, max: 2 } })];
    const fleet = (more: object) =>
      project('fleets/apply', { plan: { spec: { configuration: { type: 'fleet', name: 'pool', placement: 'cluster', ...more }, profile: { name: 'default' } } }, force: false }); // prettier-ignore
    const kept = await fleet({ nodes: 2, resources: { gpu: 'tpu:v5p-16' } });
    expect([kept.status, kept.text]).toEqual([400, expect.stringContaining('a fleet cannot keep 2 ready')]);
    expect((await fleet({ nodes: '0..3' })).status).toBe(200);
    await apply('slice', { nodes: 2, fleets: ['pool'] });
    await place();
    expect(await seats('slice')).toEqual(['pool-0', 'pool-1']);
    await apply('beyond', { nodes: 2, fleets: ['pool'] });
    await place();
    expect((await run('beyond')).pending_reasons.join()).toContain('has 2 of at most 3 nodes');
  });

  it('seats a gang whole and on whole machines, or refuses it', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': {}, '127.0.0.2': {} }, { placement: 'cluster' });
    await apply('pair', { nodes: 2 });
    await apply('other', { nodes: 2, priority: 10 });
    await place();
    expect(await seats('other')).toEqual(['lab-0', 'lab-1']);
    expect(await seats('pair')).toEqual([]);
    expect((await run('pair')).pending_reasons[0]).toBe('hosts lab-0, lab-1: busy');
  });

  it('sends several nodes to a cluster only, and says so', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': {}, '127.0.0.2': {} });
    await apply('pair', { nodes: 2 });
    await place();
    const { pending_reasons, latest_job_submission } = await run('pair');
    expect(pending_reasons).toEqual(['fleet lab: several nodes need a fleet with `placement: cluster`']);
    expect(latest_job_submission?.status_message).toBe('terminating');
    expect(latest_job_submission?.termination_reason_message).toContain('No matching fleet found');
  });

  it('creates the nodes of a gang in one place, in the fleet that is made for them', async () => {
    offered = [someOffer({ region: 'us', price: 2 }), someOffer({ region: 'eu', price: 1 })];
    await apply('pair', { nodes: 2 });
    await place();
    const rows = await server.db.read((tx) => tx.query<{ region: string; profile: string }>(`SELECT region, profile FROM instances`)); // prettier-ignore
    expect(rows.map(({ region, profile }) => [region, (JSON.parse(profile) as Wire.Profile).regions])).toEqual([
      ['eu', ['eu']],
      ['eu', ['eu']],
    ]);
    expect((await run('pair')).fleet).toMatchObject({ name: 'default' });
  });

  it('gives nodes that want different machines each its own', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': { gpus: 1 }, '127.0.0.2': {} }, { placement: 'cluster' });
    const group = (more: object) => ({ nodes: 1, commands: ['true'], ...more });
    const groups = [group({ name: 'head', resources }), group({ name: 'worker', ...gpus(1) })];
    await apply('mixed', { commands: undefined, resources: undefined, groups });
    await place();
    expect(await seats('mixed')).toEqual(['lab-1', 'lab-0']);
  });

  it.each<[string, object, string[]]>([
    ['by name', { instances: ['lab-1'] }, ['lab-1']],
    ['by host name', { instances: [{ hostname: '127.0.0.2' }] }, ['lab-1']],
    ['by fleet and number', { instances: [{ fleet: 'lab', instance: 1 }] }, ['lab-1']],
    ['that do not exist', { instances: ['lab-9'] }, []],
    ['in a fleet that does not exist', { fleets: ['labb'] }, []],
  ])('uses instances %s', async (_how, more, expected) => {
    await giveHosts(server, 'lab', { '127.0.0.1': {}, '127.0.0.2': {} });
    await apply('chosen', more);
    await place();
    expect(await seats('chosen')).toEqual(expected);
    if (expected.length > 0) return;
    const { termination_reason_message } = (await run('chosen')).latest_job_submission ?? {};
    expect(termination_reason_message).toMatch(
      /^Failed to use specified (instances|fleets: fleet labb: does not exist)/,
    );
  });

  it('creates nothing for a run that only reuses, and says which backends have nothing for others', async () => {
    offered = [someOffer()];
    await project('fleets/apply', { plan: { spec: { configuration: { type: 'fleet', name: 'pool', nodes: '0..1' }, profile: { name: 'default' } } }, force: false }); // prettier-ignore
    await apply('thrifty', { creation_policy: 'reuse' });
    await apply('huge', { resources: { ...resources, cpu: '64..' } });
    await place();
    expect((await run('thrifty')).pending_reasons).toEqual([
      'fleet pool: nothing is created, as creation_policy is reuse',
    ]);
    expect((await run('huge')).pending_reasons).toEqual(['aws: no offers: cpus 8 < 64..']);
    await apply('first');
    await place();
    await apply('second');
    await place();
    expect((await run('second')).pending_reasons).toEqual([
      'instance pool-0: still starting',
      'fleet pool: has 1 of at most 1 nodes',
    ]);
  });

  it('fills the fullest machine first', async () => {
    await giveHosts(server, 'lab', { '127.0.0.1': { gpus: 4, blocks: 4 }, '127.0.0.2': { gpus: 4, blocks: 4 } });
    for (const name of ['aa', 'bb', 'cc', 'dd', 'ee']) await apply(name, { ...gpus(1), priority: 1 });
    await apply('whole', gpus(3));
    await place();
    const all = await Promise.all(['aa', 'bb', 'cc', 'dd', 'ee', 'whole'].map(seats));
    expect(all.flat()).toEqual(['lab-0', 'lab-0', 'lab-0', 'lab-0', 'lab-1', 'lab-1']);
  });
});

describe.each(testDatabases())('runs that wait for capacity, on $name', ({ location }) => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false });
    await giveHosts(server, 'lab', { '127.0.0.1': { gpus: 4, blocks: 4 }, '127.0.0.2': {} });
  });
  afterEach(() => server.close());

  const project = (path: string, body: object) => server.post(`/api/project/main/${path}`, body);
  const apply = async (name: string, gpu: string, more: object = {}) => {
    const resources = { cpu: '1..', memory: '0.1GB..', disk: null, gpu };
    const configuration = { type: 'task', commands: ['true'], resources, retry: true, ...more };
    const reply = await project('runs/apply', { plan: { run_spec: { run_name: name, configuration } }, force: false });
    if (reply.status !== 200) throw new Error(reply.text);
  };
  const run = async (name: string) => (await project('runs/get', { run_name: name })).body as Run;
  const isPlaced = async (name: string) => (await run(name)).fleet !== null;
  const waits = (name: string) =>
    eventually(
      () => run(name),
      ({ status, status_message }) => status === 'pending' && status_message === 'retrying',
    );
  /** As its agent would tell it, if there were one. */
  const endJobOf = (name: string) =>
    server.db.write(async (tx) => {
      const jobs = await findJobs(tx, 'run_id IN (SELECT id FROM runs WHERE name = ?)', [name]);
      for (const job of jobs) {
        await tx.execute(`UPDATE jobs SET status = 'done', finished_at = ?, rev = rev + 1 WHERE id = ?`, [Date.now(), job.id]); // prettier-ignore
        await releaseInstance(tx, server.app.get(Wake), job);
      }
    });
  const submissions = async (name: string) => (await run(name)).jobs[0]?.job_submissions.length;

  it('are tried again at once when what they need is free, the highest priority first, and nobody else is', async () => {
    await apply('holder', '3');
    await eventually(() => isPlaced('holder'), Boolean);
    await apply('late', '2..');
    await apply('urgent', '2..', { priority: 5 });
    await apply('hopeless', '8..');
    for (const name of ['late', 'urgent', 'hopeless']) await waits(name);
    const stoppedAt = Date.now();
    await endJobOf('holder');
    for (const name of ['urgent', 'late']) await eventually(() => isPlaced(name), Boolean);
    // The first retry by the clock would be after 15 seconds.
    expect(Date.now() - stoppedAt).toBeLessThan(10_000);
    expect((await run('hopeless')).status).toBe('pending');
    expect(await Promise.all(['urgent', 'late', 'hopeless'].map(submissions))).toEqual([2, 2, 1]);
  });

  it('are tried again when a fleet is made for them', async () => {
    await apply('picky', '1..', { fleets: ['pool'] });
    await waits('picky');
    offerTo(server, () => [someOffer({ instance: { name: 'g5', resources: { ...someOffer().instance.resources, gpus: [{ name: 'A10G', memory_mib: 24_576 }] } } })]); // prettier-ignore
    const madeAt = Date.now();
    await project('fleets/apply', { plan: { spec: { configuration: { type: 'fleet', name: 'pool', nodes: '0..1' }, profile: { name: 'default' } } }, force: false }); // prettier-ignore
    await eventually(() => isPlaced('picky'), Boolean);
    expect(Date.now() - madeAt).toBeLessThan(10_000);
  });

  async function eventually<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
    const until = Date.now() + 20_000;
    for (;;) {
      const answer = await ask();
      if (isRight(answer)) return answer;
      if (Date.now() > until) throw new Error(`still not: ${JSON.stringify(answer)}`);
      await sleep(50);
    }
  }
});
