import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { wrapText } from '../terminal/wrap.js';
import type { Cell, Column } from '../terminal/table.js';
import { renderBlocks } from '../terminal/blocks.js';
import { formatBackend } from './backend.js';
import { clientUrl } from './client-url.js';
import { formatElapsed } from './duration.js';
import { endingReasons } from './ending-reasons.js';
import { pendingReasons } from './pending-reasons.js';
import { formatPrice } from './price.js';
import { relativeTime } from './relative-time.js';
import { formatGpus, formatResources } from './resources.js';
import { isRollingOut } from './rollout-text.js';
import { isFinished, jobStatusText, runStatusText, statusPaint } from './run-status.js';
import { deploymentNote } from './service-text.js';

export interface RunsTableOptions {
  readonly nowMs: number;
  readonly width: number;
  readonly style: Style;
  readonly verbose?: boolean;
  /** Before the addresses that the server gives without its own. */
  readonly serverUrl?: string;
}

const PROBE_BATCH = 5;

/** The table of `dstack ps`: a line a run, and a grey line a job when a run has several. Pure. */
export function runsTable(runs: readonly Wire.Run[], options: RunsTableOptions): string {
  const verbose = options.verbose ?? false;
  const withProbes = verbose || runs.some(isRollingOut);
  const withErrors = verbose || runs.some((run) => errorText(run, onlySubmission(run)) !== '');
  const columns: Column[] = [
    { title: 'NAME' },
    { title: 'BACKEND', shrinkTo: 8 },
    ...(verbose
      ? [
          { title: 'RESOURCES', shrinkTo: 12 },
          { title: 'INSTANCE TYPE', shrinkTo: 8 },
        ]
      : [{ title: 'GPU', shrinkTo: 6 }]),
    { title: 'PRICE' },
    ...(verbose ? [{ title: 'COST' }] : []),
    { title: 'STATUS', shrinkTo: 12 },
    ...(withProbes ? [{ title: 'PROBES' }] : []),
    { title: 'SUBMITTED' },
    ...(withErrors ? [{ title: 'ERROR', shrinkTo: 10, expendable: true }] : []),
  ];
  const shape = { verbose, withProbes, withErrors };
  const blocks = runs.map((run) => {
    const jobs = sortedJobs(run);
    const only = jobs.length === 1 ? jobs[0] : undefined;
    const head = runRow(run, only, shape, options);
    const rows = only ? [head] : [head, ...jobRows(run, jobs, shape, options)];
    return { rows, below: verbose ? [...serviceAddresses(run, options), ...reasonLines(run, options)] : [] };
  });
  return renderBlocks(columns, blocks, { width: options.width, headPaint: options.style.bold });
}

/** Why it has no capacity or has failed, below it: sentences do not fit a column. */
function reasonLines(run: Wire.Run, { width, style }: RunsTableOptions): string[] {
  const note = deploymentNote(run);
  return [...pendingReasons(run), ...endingReasons(run), ...(note === undefined ? [] : [note])]
    .flatMap((reason) => wrapText(reason, width, { first: '   - ', rest: '     ' }))
    .map((line) => style.secondary(line));
}

function serviceAddresses(run: Wire.Run, { style, serverUrl = '' }: RunsTableOptions): string[] {
  const { service } = run;
  if (!service || isFinished(run.status)) return [];
  const { url, model } = service;
  return [
    `   ${style.secondary('url:')} ${clientUrl(url, serverUrl)}`,
    ...(model ? [`   ${style.secondary(`model ${model.name}:`)} ${clientUrl(model.base_url, serverUrl)}`] : []),
  ];
}

interface Shape {
  readonly verbose: boolean;
  readonly withProbes: boolean;
  readonly withErrors: boolean;
}

function runRow(run: Wire.Run, only: Wire.Job | undefined, shape: Shape, options: RunsTableOptions): (Cell | string)[] {
  const { style } = options;
  const submission = only?.job_submissions.at(-1);
  const text = runStatusText(run);
  const suffix =
    shape.verbose &&
    !isFinished(run.status) &&
    run.run_spec.configuration.type === 'dev-environment' &&
    submission?.inactivity_secs
      ? ` (inactive for ${formatElapsed(submission.inactivity_secs)})`
      : '';
  const deployment =
    isRollingOut(run) || (shape.verbose && run.run_spec.configuration.type === 'service')
      ? ` deployment=${run.deployment_num ?? 0}`
      : '';
  return [
    { text: `${run.run_spec.run_name ?? ''}${deployment}`, paint: style.bold },
    ...placeCells(submission, shape, only !== undefined),
    ...(shape.verbose ? [costText(run)] : []),
    { text: text + suffix, paint: statusPaint(text, isFinished(run.status), style) },
    ...(shape.withProbes ? [only ? probeText(only) : ''] : []),
    { text: relativeTime(run.submitted_at, options.nowMs), paint: style.secondary },
    ...(shape.withErrors ? [{ text: errorText(run, submission), paint: style.error }] : []),
  ];
}

function onlySubmission(run: Wire.Run): Wire.JobSubmission | undefined {
  return run.jobs.length === 1 ? run.jobs[0]?.job_submissions.at(-1) : undefined;
}

/** Why a run failed, if its status does not say so already: an exit code needs no words. */
function errorText(run: Wire.Run, submission: Wire.JobSubmission | undefined): string {
  const stated = run.error ?? submission?.error;
  if (stated) return stated;
  if (run.status !== 'failed' || submission?.termination_reason === 'container_exited_with_error') return '';
  return submission?.termination_reason_message ?? '';
}

function jobRows(
  run: Wire.Run,
  jobs: readonly Wire.Job[],
  shape: Shape,
  options: RunsTableOptions,
): (Cell | string)[][] {
  const { style } = options;
  const many = (pick: (job: Wire.Job) => unknown) => new Set(jobs.map(pick)).size > 1;
  const isService = run.run_spec.configuration.type === 'service';
  const show = {
    replica: isService || many((job) => job.job_spec.replica_num ?? 0),
    job: many((job) => job.job_spec.job_num),
    deployment: many((job) => job.job_submissions.at(-1)?.deployment_num ?? 0),
  };
  let previousGroup: string | undefined;
  return jobs.map((job) => {
    const spec = job.job_spec;
    const submission = job.job_submissions.at(-1);
    const text = submission ? jobStatusText(submission) : '';
    const group = `group=${spec.replica_group ?? '0'}`;
    const groupText = isService ? `${group === previousGroup ? ' '.repeat(group.length) : group} ` : '';
    previousGroup = group;
    const parts = [
      show.replica ? `replica=${spec.replica_num ?? 0}` : '',
      show.job ? `job=${spec.job_num}` : '',
      show.deployment ? `deployment=${submission?.deployment_num ?? 0}` : '',
    ].filter((part) => part !== '');
    return [
      { text: `   ${groupText}${parts.join(' ')}`, paint: style.secondary },
      ...placeCells(submission, shape, true),
      ...(shape.verbose ? [''] : []),
      { text, paint: submission ? statusPaint(text, isFinished(submission.status), style) : style.plain },
      ...(shape.withProbes ? [probeText(job)] : []),
      { text: relativeTime(submission?.submitted_at, options.nowMs), paint: style.secondary },
      ...(shape.withErrors ? [{ text: submission?.error ?? '', paint: style.error }] : []),
    ];
  });
}

/** So far, of all its submissions. */
function costText({ cost }: Wire.Run): string {
  return cost === undefined || cost === 0 ? '' : formatPrice(cost);
}

/** BACKEND, GPU or RESOURCES and INSTANCE TYPE, PRICE. */
function placeCells(submission: Wire.JobSubmission | undefined, shape: Shape, showGpu: boolean): string[] {
  const provisioned = submission?.job_provisioning_data ?? undefined;
  const offer = submission?.job_runtime_data?.offer ?? undefined;
  if (!provisioned) return shape.verbose ? ['', '', '', '-'] : ['', '-', '-'];
  const instance = offer?.instance ?? provisioned.instance_type;
  const price = offer?.price ?? provisioned.price;
  const spot = instance.resources.spot ? ' (spot)' : '';
  const blocks = offer && (offer.total_blocks ?? 1) > 1 ? ` (${offer.blocks ?? 1}/${offer.total_blocks ?? 1})` : '';
  const reservation = provisioned.reservation ? ` (${provisioned.reservation})` : '';
  return [
    formatBackend(provisioned),
    ...(shape.verbose
      ? [formatResources(instance.resources), `${instance.name}${blocks}${reservation}`]
      : [showGpu ? (formatGpus(instance.resources) ?? '-') : '-']),
    `${formatPrice(price)}${spot}`,
  ];
}

/** `✓` ready, `~` some successes, `×` failing; batches of five. */
function probeText(job: Wire.Job): string {
  const readyAfter = job.job_spec.probes ?? [];
  const marks = (job.job_submissions.at(-1)?.probes ?? []).map((probe, i) => {
    if (probe.success_streak >= (readyAfter[i]?.ready_after ?? 1)) return '✓';
    return probe.success_streak > 0 ? '~' : '×';
  });
  const batches: string[] = [];
  for (let i = 0; i < marks.length; i += PROBE_BATCH) batches.push(marks.slice(i, i + PROBE_BATCH).join(''));
  return batches.join(' ');
}

function sortedJobs(run: Wire.Run): Wire.Job[] {
  return [...run.jobs].sort(
    (a, b) =>
      (a.job_spec.replica_group ?? '').localeCompare(b.job_spec.replica_group ?? '') ||
      (a.job_spec.replica_num ?? 0) - (b.job_spec.replica_num ?? 0) ||
      a.job_spec.job_num - b.job_spec.job_num,
  );
}
