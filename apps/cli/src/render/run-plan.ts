import { replicaGroups, type Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { backendWarnings, jobWarnings } from './plan-warnings.js';
import { formatDuration } from './duration.js';
import { offersTable } from './offers-table.js';
import { formatPrice } from './price.js';
import { renderProperties } from './properties.js';
import { rejectionsText } from './rejections.js';
import { relativeTime } from './relative-time.js';
import { formatResourcesSpec } from './resources.js';

export interface RunPlanOptions {
  readonly style: Style;
  readonly width: number;
  readonly nowMs: number;
  readonly verbose: boolean;
}

/** What `dstack apply` shows before it asks. Pure. */
export function runPlanText(plan: Wire.RunPlan, options: RunPlanOptions): string {
  const groups = planGroups(plan);
  const blocks = groups.map((group) => groupText(group, groups.length > 1, options));
  const told = [...backendWarnings(plan.job_plans), ...jobWarnings(plan.job_plans)];
  const warnings = told.map((warning) => ` ${options.style.warning(warning)}`);
  const parts = [propertiesText(plan, options), ...blocks, warnings.join('\n'), costText(plan, options)];
  return parts.filter((text) => text !== '').join('\n\n');
}

interface PlanGroup {
  readonly name: string;
  readonly plan: Wire.JobPlan;
  readonly jobs: number;
}

/** Jobs of a group share their offers: one block a group. */
function planGroups(plan: Wire.RunPlan): PlanGroup[] {
  const groups = new Map<string, PlanGroup>();
  for (const jobPlan of plan.job_plans) {
    const spec = jobPlan.job_spec;
    const key = `${spec.replica_group ?? '0'}/${spec.node_group_name ?? '0'}`;
    const known = groups.get(key);
    const name =
      plan.run_spec.configuration.type === 'service' ? (spec.replica_group ?? '0') : (spec.node_group_name ?? '0');
    groups.set(key, known ? { ...known, jobs: known.jobs + 1 } : { name, plan: jobPlan, jobs: 1 });
  }
  return [...groups.values()];
}

function groupText(group: PlanGroup, named: boolean, { style, width }: RunPlanOptions): string {
  const { plan } = group;
  const title = named
    ? `${style.bold(` Group ${group.name}`)} (${group.jobs} ${group.jobs === 1 ? 'job' : 'jobs'}): ${formatResourcesSpec(plan.job_spec.requirements.resources)}\n`
    : '';
  if (plan.offers.length === 0) return `${title}${style.error(' No offers fit.')}${rejectionsText(plan)}`;
  const table = offersTable(plan.offers, {
    style,
    width,
    total: plan.total_offers,
    maxPrice: plan.max_price,
    firstIsChosen: true,
  });
  return `${title}${table}`;
}

function costText(plan: Wire.RunPlan, { nowMs }: RunPlanOptions): string {
  const priced = plan.job_plans.map((job) => ({ price: job.offers[0]?.price, ...replicasOf(plan, job) }));
  if (priced.length === 0 || priced.some(({ price }) => price === undefined)) return '';
  const sum = (count: 'min' | 'max') => ({
    usd: priced.reduce((total, each) => total + (each.price ?? 0) * each[count], 0),
    jobs: priced.reduce((total, each) => total + each[count], 0),
  });
  const [least, most] = [sum('min'), sum('max')];
  const jobs = least.jobs === 1 ? '' : ` for ${least.jobs} jobs`;
  const growth = most.jobs > least.jobs ? `, up to ${formatPrice(most.usd)} for ${most.jobs}` : '';
  const age = priceAge(plan.job_plans, nowMs);
  return ` Total ${formatPrice(least.usd)} per hour${jobs}${growth}${age === undefined ? '' : `, prices of ${age}`}`;
}

/** Of a service the plan has one job for each group of replicas; everything else runs as often as it is planned. */
function replicasOf({ run_spec, effective_run_spec }: Wire.RunPlan, { job_spec }: Wire.JobPlan) {
  const { configuration } = effective_run_spec ?? run_spec;
  if (configuration.type !== 'service') return { min: 1, max: 1 };
  const group = replicaGroups(configuration).find(({ name }) => name === (job_spec.replica_group ?? '0'));
  return { min: group?.min ?? 1, max: group?.max ?? 1 };
}

/** Of the oldest price, when the server tells: of the catalog's it is its date. */
function priceAge(jobPlans: readonly Wire.JobPlan[], nowMs: number): string | undefined {
  const [listed] = jobPlans.flatMap((plan) => priceDate(plan.offers[0])).sort();
  if (listed !== undefined) return listed;
  const times = jobPlans.flatMap((plan) =>
    'priced_at' in plan && typeof plan.priced_at === 'string' ? [plan.priced_at] : [],
  );
  const oldest = times.sort()[0];
  return oldest === undefined ? undefined : relativeTime(oldest, nowMs);
}

function priceDate(offer: object | undefined): string[] {
  return offer !== undefined && 'price_date' in offer && typeof offer.price_date === 'string' ? [offer.price_date] : [];
}

function propertiesText(plan: Wire.RunPlan, { style, verbose }: RunPlanOptions): string {
  const spec = plan.effective_run_spec ?? plan.run_spec;
  const first = plan.job_plans[0];
  const job = first?.job_spec;
  const merged: Wire.Profile = { ...spec.profile, ...withoutNull(spec.configuration) };
  const spot = job?.requirements.spot;
  return renderProperties(
    [
      ['Project', plan.project_name],
      ['User', plan.user],
      ['Type', typeText(spec.configuration)],
      ['Resources', job ? formatResourcesSpec(job.requirements.resources) : undefined],
      ['Spot policy', spot === undefined || spot === null ? 'auto' : spot ? 'spot' : 'on-demand'],
      ['Max price', typeof job?.requirements.max_price === 'number' ? formatPrice(job.requirements.max_price) : 'off'],
      ['Retry policy', job?.retry ? `${formatDuration(job.retry.duration)}[${job.retry.on_events.join(', ')}]` : 'off'],
      [
        'Creation policy',
        verbose || merged.creation_policy === 'reuse' ? (merged.creation_policy ?? 'reuse-or-create') : undefined,
      ],
      ['Idle duration', offable(merged.idle_duration, '5m')],
      ['Max duration', offable(job?.max_duration, 'off')],
      ['Inactivity duration', inactivity(spec.configuration)],
      ['Reservation', merged.reservation ?? (verbose ? '-' : undefined)],
      ['Runtime', runtimeText(first)],
    ],
    style,
  );
}

function typeText(configuration: Wire.RunSpec['configuration']): string {
  if (configuration.type !== 'task') return configuration.type ?? '';
  const nodes = 'nodes' in configuration ? (configuration.nodes ?? 1) : 1;
  return nodes > 1 ? `task (nodes=${nodes})` : 'task';
}

function inactivity(configuration: Wire.RunSpec['configuration']): string | undefined {
  if (configuration.type !== 'dev-environment' || !('inactivity_duration' in configuration)) return undefined;
  return offable(configuration.inactivity_duration, 'off');
}

function offable(value: number | string | null | undefined, fallback: string): string {
  if (value === null || value === undefined) return fallback;
  if (typeof value === 'string') return value;
  return value < 0 ? '-' : formatDuration(value);
}

/** How the job runs, and why so: `process (no image is named)`; or why it cannot run on the first offer. */
function runtimeText(plan: object | undefined): string | undefined {
  if (!plan || !('runtime' in plan)) return undefined;
  const reason = 'runtime_reason' in plan && typeof plan.runtime_reason === 'string' ? plan.runtime_reason : undefined;
  if (typeof plan.runtime !== 'string') return reason && `none: ${reason}`;
  return reason === undefined ? plan.runtime : `${plan.runtime} (${reason})`;
}

function withoutNull(configuration: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(configuration).filter(([, value]) => value !== null && value !== undefined));
}
