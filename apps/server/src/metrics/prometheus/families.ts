import type { MetricsPoint } from '@dstack/core';
import type { Family, Labels } from './exposition.js';

export interface InstanceFacts {
  readonly labels: Labels;
  /** Unix ms. */
  readonly since: number;
  readonly price: number;
  readonly gpuCount: number;
}

export interface RunCounts {
  readonly labels: Labels;
  readonly total: number;
  readonly terminated: number;
  readonly failed: number;
  readonly done: number;
}

export interface JobFacts {
  readonly labels: Labels;
  /** Unix ms. */
  readonly since: number;
  readonly price: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of each of its GPUs. */
  readonly gpuMemoryBytes: readonly number[];
  /** The newest sample; undefined for a job that has just begun. */
  readonly point: MetricsPoint | undefined;
}

/** What the server tells Prometheus about instances, by the names that 0.21 dashboards use. */
export function instanceFamilies(instances: readonly InstanceFacts[], now: number): Family[] {
  const family = (name: string, type: Family['type'], help: string, of: (facts: InstanceFacts) => number): Family => ({
    name: `dstack_instance_${name}`,
    type,
    help,
    samples: instances.map((facts) => ({ labels: facts.labels, value: of(facts) })),
  });
  return [
    family('duration_seconds_total', 'counter', 'Seconds that the instance has been there', ({ since }) =>
      seconds(since, now),
    ),
    family('price_dollars_per_hour', 'gauge', 'Price of the instance, USD/hour', ({ price }) => price),
    family('gpu_count', 'gauge', 'GPUs of the instance', ({ gpuCount }) => gpuCount),
  ];
}

export function runFamilies(counts: readonly RunCounts[]): Family[] {
  const family = (name: string, help: string, of: (count: RunCounts) => number): Family => ({
    name: `dstack_run_count_${name}`,
    type: 'counter',
    help,
    samples: counts.map((count) => ({ labels: count.labels, value: of(count) })),
  });
  return [
    family('total', 'Runs', ({ total }) => total),
    family('terminated_total', 'Runs that were terminated', ({ terminated }) => terminated),
    family('failed_total', 'Runs that failed', ({ failed }) => failed),
    family('done_total', 'Runs that ended well', ({ done }) => done),
  ];
}

export function jobFamilies(jobs: readonly JobFacts[], now: number): Family[] {
  const measured = (of: (point: MetricsPoint) => number) => (job: JobFacts) =>
    job.point === undefined ? [] : [of(job.point)];
  const family = (
    name: string,
    type: Family['type'],
    help: string,
    of: (job: JobFacts) => readonly number[],
    isPerGpu = false,
  ): Family => ({
    name: `dstack_job_${name}`,
    type,
    help,
    samples: jobs.flatMap((job) =>
      of(job).map((value, index) => ({
        labels: isPerGpu ? { ...job.labels, dstack_gpu_num: String(index) } : job.labels,
        value,
      })),
    ),
  });
  return [
    family('duration_seconds_total', 'counter', 'Seconds that the job has been running', ({ since }) => [
      seconds(since, now),
    ]),
    family('price_dollars_per_hour', 'gauge', 'Price of what the job runs on, USD/hour', ({ price }) => [price]),
    family('gpu_count', 'gauge', 'GPUs of the job', ({ gpuMemoryBytes }) => [gpuMemoryBytes.length]),
    family('cpu_count', 'gauge', 'CPUs of the job', ({ cpus }) => [cpus]),
    family('cpu_time_seconds_total', 'counter', 'CPU time that the job has used, seconds', measured((point) => point.cpuUsageMicros / 1e6)), // prettier-ignore
    family('memory_total_bytes', 'gauge', 'Memory that the job may use, bytes', ({ memoryBytes }) => [memoryBytes]),
    family('memory_usage_bytes', 'gauge', 'Memory that the job uses, with its cache, bytes', measured((point) => point.memoryUsageBytes)), // prettier-ignore
    family('memory_working_set_bytes', 'gauge', 'Memory that the job uses, without its cache, bytes', measured((point) => point.memoryWorkingSetBytes)), // prettier-ignore
    family('gpu_usage_ratio', 'gauge', 'Usage of the GPU, from 0 to 1', ({ point }) => point?.gpus.map(({ utilPercent }) => utilPercent / 100) ?? [], true), // prettier-ignore
    family('gpu_memory_total_bytes', 'gauge', 'Memory of the GPU, bytes', ({ gpuMemoryBytes }) => gpuMemoryBytes, true),
    family('gpu_memory_usage_bytes', 'gauge', 'Memory of the GPU that is used, bytes', ({ point }) => point?.gpus.map(({ memoryUsageBytes }) => memoryUsageBytes) ?? [], true), // prettier-ignore
  ];
}

function seconds(since: number, now: number): number {
  return Math.max(0, now - since) / 1000;
}
