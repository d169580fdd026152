import type { Wire } from '@dstack/core';
import { formatClock, formatDuration, formatElapsed } from '../src/render/duration.js';
import { eventLine } from '../src/render/event-line.js';
import { formatPrice } from '../src/render/price.js';
import { relativeTime } from '../src/render/relative-time.js';
import { formatResourcesSpec } from '../src/render/resources.js';
import { runPlanText } from '../src/render/run-plan.js';
import { runsTable } from '../src/render/runs-table.js';
import { diffRunSpecs, renderChanges } from '../src/render/spec-diff.js';
import { ordinal, waitingText } from '../src/render/waiting-text.js';
import { createStyle, PLAIN_STYLE } from '../src/terminal/style.js';
import { renderTable } from '../src/terminal/table.js';
import { job, offer, plan, provisioned, run, submission } from './builders.js';

const now = Date.parse('2026-01-02T03:06:05Z');
const wide = { nowMs: now, width: 120, style: PLAIN_STYLE };

describe('tables', () => {
  it('fit the terminal by shrinking the widest column that may', () => {
    const columns = [{ title: 'NAME' }, { title: 'NOTE', shrinkTo: 4 }];
    const text = renderTable(columns, [['a', 'a long remark about it']], { width: 16 });
    expect(text).toBe(' NAME  NOTE\n a     a long r…');
    expect(text.split('\n').every((line) => line.length <= 16)).toBe(true);
  });
  it('lose columns without content before any text, and shrink as far as it takes', () => {
    const columns = [{ title: 'NAME' }, { title: 'EMPTY' }, { title: 'NOTE', shrinkTo: 12 }];
    const rows = [['a', '', 'a long remark']];
    expect(renderTable(columns, rows, { width: 30 })).toBe(' NAME  EMPTY  NOTE\n a            a long remark');
    expect(renderTable(columns, rows, { width: 20 })).toBe(' NAME  NOTE\n a     a long remark');
    expect(renderTable(columns, rows, { width: 14 })).toBe(' NAME  NOTE\n a     a long…');
    expect(renderTable(columns, [], { width: 14 })).toContain('EMPTY');
  });
  it('lose expendable columns before words that tell more', () => {
    const columns = [
      { title: 'NAME' },
      { title: 'STATUS', shrinkTo: 12 },
      { title: 'ERROR', shrinkTo: 10, expendable: true },
    ];
    const rows = [['train', 'no capacity', 'nothing is free']];
    expect(renderTable(columns, rows, { width: 32 })).toBe(
      ' NAME   STATUS       ERROR\n train  no capacity  nothing is…',
    );
    expect(renderTable(columns, rows, { width: 26 })).toBe(' NAME   STATUS\n train  no capacity');
  });
  it('have no colour codes without colour', () => {
    const text = (colour: boolean) => runsTable([run({ status: 'running' })], { ...wide, style: createStyle(colour) });
    expect(text(false)).not.toContain('\u001b');
    expect(text(true)).toContain('\u001b');
  });
});

it('shows a run of one job as one line, and jobs of a larger one below it', () => {
  const ready = submission({ status: 'running', status_message: 'running', job_provisioning_data: provisioned() });
  const single = run({ name: 'solo', status: 'running', job: ready });
  const double = run({
    name: 'duo',
    status: 'provisioning',
    jobs: [
      job(ready),
      job(
        submission({
          status: 'pulling',
          image_pull_progress: {
            downloaded_bytes: 512e6,
            extracted_bytes: 310e6,
            total_bytes: 4200e6,
            is_total_bytes_final: false,
          },
        }),
        { job_num: 1 },
      ),
    ],
  });
  expect(`\n${runsTable([single, double], wide)}\n`).toMatchInlineSnapshot(`
   "
    NAME      BACKEND          GPU            PRICE    STATUS                   SUBMITTED
    solo      aws (us-west-2)  gpu=L4:24GB:1  $0.8048  running                  2 mins ago
    duo                        -              -        provisioning             2 mins ago
       job=0  aws (us-west-2)  gpu=L4:24GB:1  $0.8048  running                  2 mins ago
       job=1                   -              -        pulling 310/512/≥4200MB  2 mins ago
   "
  `);
});

it('tells in the table why a run failed, but not that an exit code is one', () => {
  const failed = (reason: NonNullable<Wire.JobSubmission['termination_reason']>, message: string) =>
    run({
      status: 'failed',
      job: submission({ status: 'failed', termination_reason: reason, termination_reason_message: message }),
    });
  const table = (each: Wire.Run) => runsTable([each], wide);
  expect(table(failed('terminated_by_server', 'no engine answers'))).toMatch(/ERROR\n.* no engine answers$/);
  expect(table(failed('container_exited_with_error', 'status 7'))).not.toContain('ERROR');
});

it('tells below a run why it has no capacity, where there is room for sentences', () => {
  const pending_reasons = [
    'hosts lab-0, lab-1, lab-2 and 45 more: 2 gpus needed, 1 of 8 free',
    'would fit after run train (alice): lab-0',
    'aws: no offers: memory 7.7GB < 64GB.. (and 12 more); price $9.2 > $1 (and 3 more)',
  ];
  const waits = { ...run({ name: 'eval', status: 'pending', message: 'retrying' }), pending_reasons };
  const table = (width: number, verbose: boolean) =>
    runsTable([waits, run({ name: 'train', status: 'running' })], { ...wide, width, verbose });
  expect(`\n${table(80, true)}\n`).toMatchInlineSnapshot(`
   "
    NAME   PRICE  STATUS    SUBMITTED
    eval   -      retrying  2 mins ago
      - hosts lab-0, lab-1, lab-2 and 45 more: 2 gpus needed, 1 of 8 free
      - would fit after run train (alice): lab-0
      - aws: no offers: memory 7.7GB < 64GB.. (and 12 more); price $9.2 > $1 (and 3
        more)
    train  -      running   2 mins ago
   "
  `);
  for (const line of table(80, true).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(table(120, false)).not.toContain('lab-0');
});

it('shows the plan with its price', () => {
  const offers = [offer(), offer({ backend: 'gcp', region: 'us-east1', price: 1.2, availability: 'no_quota' })];
  expect(`\n${runPlanText(plan({ name: 'train', offers, totalOffers: 41 }), { ...wide, verbose: false })}\n`)
    .toMatchInlineSnapshot(`
   "
    Project        main
    User           alice
    Type           task
    Resources      cpu=x86:2.. mem=8GB..
    Spot policy    on-demand
    Max price      off
    Retry policy   off
    Idle duration  5m
    Max duration   off

    #  BACKEND          RESOURCES                     INSTANCE TYPE  PRICE
    1  aws (us-west-2)  cpu=4 mem=16GB gpu=L4:24GB:1  g6.xlarge      $0.8048
    2  gcp (us-east1)   cpu=4 mem=16GB gpu=L4:24GB:1  g6.xlarge      $1.2     no quota
       ...
    Shown 2 of 41 offers, $12.1 max

    Total $0.8048 per hour
   "
  `);
});

it('marks prices that were computed from others, and names the backends that are missing and what will go wrong', () => {
  const planned = plan({ offers: [{ ...offer(), price_is_derived: true } as ReturnType<typeof offer>] });
  const missing = {
    backend_warnings: ['gcp: unverified: Google did not answer', 'azure: not installed'],
    warnings: ['no secret gone'],
  };
  const told = { ...planned, job_plans: planned.job_plans.map((each) => ({ ...each, ...missing })) };
  const text = runPlanText(told, { ...wide, verbose: false });
  expect(text).toMatch(/g6\.xlarge +~\$0\.8048/);
  expect(text).toContain(' gcp: unverified: Google did not answer\n azure: not installed\n no secret gone\n');
});

it('adds up what all replicas of a service cost', () => {
  const total = (replicas: object, offers = [offer()]) => {
    const planned = plan({ offers });
    const configuration = {
      ...planned.run_spec.configuration,
      type: 'service',
      port: 80,
      replicas,
    } as unknown as Wire.ServiceConfiguration; // what is read of it
    const spec = { ...planned.run_spec, configuration };
    const text = runPlanText({ ...planned, run_spec: spec, effective_run_spec: spec }, { ...wide, verbose: false });
    return text.split('\n').at(-1)?.trim();
  };
  expect(total({ min: 3, max: 3 })).toBe('Total $2.4144 per hour for 3 jobs');
  expect(total({ min: 0, max: 2 })).toBe('Total $0 per hour for 0 jobs, up to $1.6096 for 2');
  const dated = { ...offer(), price_date: '2026-07-20' };
  expect(total({ min: 1, max: 1 }, [dated])).toBe('Total $0.8048 per hour, prices of 2026-07-20');
});

it('says so when nothing fits, and why when the server tells', () => {
  const text = (more: object) => {
    const { job_plans: jobs, ...rest } = plan({});
    return runPlanText({ ...rest, job_plans: jobs.map((each) => ({ ...each, ...more })) }, { ...wide, verbose: false });
  };
  expect(text({})).toMatch(/ No offers fit\.$/);
  const rejections = [
    { code: 'gpu-count', count: 3, example: 'gpus 0 not in 1..' },
    { code: 'price', count: 1, example: 'price $9 > $1' },
  ];
  expect(text({ rejections })).toMatch(
    / No offers fit\.\n {3}- gpus 0 not in 1\.\. \(and 2 more\)\n {3}- price \$9 > \$1$/,
  );
});

it('tells the runtime and why, also when there is none for the first offer', () => {
  const text = (more: object) => {
    const { job_plans: jobs, ...rest } = plan({ offers: [offer()] });
    return runPlanText({ ...rest, job_plans: jobs.map((each) => ({ ...each, ...more })) }, { ...wide, verbose: false });
  };
  expect(text({ runtime: 'process', runtime_reason: 'no image is named' })).toContain('process (no image is named)');
  expect(text({ runtime: null, runtime_reason: 'no engine answers' })).toContain('none: no engine answers');
  expect(text({ runtime: null, runtime_reason: null })).not.toContain('Runtime');
});

it('tells what a run waits for', () => {
  const planned = plan({ offers: [offer()] });
  const waiting = submission({
    status: 'provisioning',
    status_message: 'provisioning',
    job_provisioning_data: provisioned(),
  });
  expect(waitingText(run({ status: 'provisioning', job: waiting }), planned)).toBe('provisioning (aws)');
  expect(waitingText(run({ status: 'provisioning', job: waiting }), plan({ offers: [offer()], totalOffers: 3 }))).toBe(
    'provisioning (aws, 1st of 3 offers)',
  );
  expect(waitingText(run({ status: 'submitted' }), planned)).toBe('submitted (choosing among 1 offer)');
  expect(waitingText(run({ status: 'submitted' }), plan({}))).toBe('submitted (no offers fit yet)');
  const failed = submission({ status: 'failed', status_message: 'exited (3)', job_provisioning_data: provisioned() });
  expect(waitingText(run({ status: 'pending', job: failed }))).toBe('pending (last attempt: exited (3))');
  const again = { ...failed, submission_num: 2 };
  expect(waitingText(run({ status: 'pending', job: again }))).toBe('pending (last of 3 attempts: exited (3))');
  const scheduled = (next: string) => ({ ...run({ status: 'pending', job: failed }), next_triggered_at: next });
  expect(waitingText(scheduled('2026-01-02T08:00:00Z'))).toBe('pending (next run at 2026-01-02T08:00:00Z)');
  expect(waitingText(scheduled('2026-01-02T03:00:00Z'))).toBe('pending (last attempt: exited (3))');
});

it('shows old and new values of changes, but never those of the environment', () => {
  const spec = (changes: object) => ({
    run_name: 'a',
    configuration: { type: 'task' as const, priority: 0, env: { K: 'old' }, ...changes },
  });
  const changes = diffRunSpecs(spec({}), spec({ priority: 5, env: { K: 'hunter2' }, max_price: 1 }));
  expect(renderChanges(changes)).toBe('- priority: 0 → 5\n- env.K (changed)\n- max_price: unset → 1');
  const resources = (min: number, cpus: number) =>
    spec({ resources: { memory: { min, max: null }, cpu: { arch: null, count: { min: cpus, max: 4 } } } });
  expect(renderChanges(diffRunSpecs(resources(100 / 1024, 1), resources(2, 4)))).toBe(
    '- resources.memory: 100MB.. → 2GB..\n- resources.cpu.count: 1..4 → 4',
  );
});

it('shows long values from where they begin to differ', () => {
  const spec = (command: string) => ({ run_name: 'a', configuration: { type: 'task' as const, commands: [command] } });
  const long = 'python train.py --epochs 10 --batch-size 64 --learning-rate 0.001 --seed ';
  expect(renderChanges(diffRunSpecs(spec(`${long}1`), spec(`${long}2`)))).toBe(
    '- commands: …te 0.001 --seed 1"] → …te 0.001 --seed 2"]',
  );
});

it('tells below a run what is known of its failure, beyond the word in its status', () => {
  const ended = submission({
    status: 'failed',
    status_message: 'error',
    error: 'runner error',
    termination_reason: 'creating_container_error',
    termination_reason_message: 'cannot pull image nosuch.example.org/foo:1: no such host',
  });
  const exited = { ...ended, termination_reason: 'container_exited_with_error' as const };
  const table = (latest: Wire.JobSubmission) =>
    runsTable([run({ status: 'failed', job: latest })], { ...wide, verbose: true });
  expect(table(ended)).toContain('\n   - runner error: cannot pull image nosuch.example.org/foo:1: no such host');
  expect(table(exited)).not.toContain('cannot pull');
});

it('puts an event on one line', () => {
  const event = {
    id: '1',
    message: 'Run\nsubmitted',
    recorded_at: '2026-01-02T03:04:05Z',
    actor_user: 'alice',
    targets: [{ type: 'run', id: 'x', name: 'train' }],
  };
  expect(eventLine(event, PLAIN_STYLE)).toMatch(
    /^\[2026-01-0\d \d\d:\d\d:\d\d\] \[alice\] \[run train\] Run submitted$/,
  );
});

describe('numbers and times', () => {
  it.each([
    [5400, '90m'],
    [3600, '1h'],
    [259200, '3d'],
    [61, '61s'],
  ])('%i s is %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
  it.each([
    [2_000, '0:02'],
    [725_000, '12:05'],
    [3_723_000, '1:02:03'],
  ])('%i ms on the clock are %s', (ms, text) => expect(formatClock(ms)).toBe(text));
  it('names the two largest units', () => expect(formatElapsed(303)).toBe('5m 3s'));
  it.each([
    [0, 'now'],
    [42, '42 sec ago'],
    [60, '1 min ago'],
    [720, '12 mins ago'],
    [3600, '1 hour ago'],
    [86_400, 'yesterday'],
    [259_200, '3 days ago'],
    [-60, ''],
  ])('%i s ago is "%s"', (seconds, text) =>
    expect(relativeTime(new Date(now - seconds * 1000).toISOString(), now)).toBe(text),
  );
  it.each([
    [1.006, '$1.006'],
    [0.8, '$0.8'],
    [0, '$0'],
    [12.29001, '$12.29'],
    [10, '$10'],
  ])('%d dollars are %s', (usd, text) => expect(formatPrice(usd)).toBe(text));
  it.each([
    [1, '1st'],
    [2, '2nd'],
    [3, '3rd'],
    [11, '11th'],
    [21, '21st'],
  ])('%i is %s', (n, text) => expect(ordinal(n)).toBe(text));
  it('writes requirements as they are asked for', () => {
    const spec = {
      cpu: { arch: 'x86' as const, count: { min: 2, max: null } },
      memory: { min: 0.125, max: null },
      gpu: { vendor: 'nvidia' as const, name: ['L4'], count: { min: 1, max: 1 }, memory: { min: 24, max: null } },
    };
    expect(formatResourcesSpec(spec)).toBe('cpu=x86:2.. mem=128MB.. gpu=nvidia:L4:24GB..:1');
  });
});

it('shows with -v what a run has cost so far', () => {
  const text = runsTable([{ ...run({ name: 'train', status: 'running' }), cost: 1.5 }], { ...wide, verbose: true });
  expect(text).toMatch(/COST.*\n.*\$1\.5/);
});
