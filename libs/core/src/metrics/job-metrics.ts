import type * as Wire from '../wire/generated/api.js';

/** One sample of a job, as its agent sent it. */
export interface MetricsPoint {
  readonly timestampMicro: number;
  /** Cumulative. */
  readonly cpuUsageMicros: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly gpus: readonly { readonly memoryUsageBytes: number; readonly utilPercent: number }[];
}

/** What the job's machine has; unknown parts are left out of the reply. */
export interface MachineTotals {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly gpuMemoryBytes?: number;
}

/**
 * The series of the contract, newest first. CPU usage is the share of one CPU (200 = two busy CPUs) between a point and the one before it,
 * so the oldest point only serves as a base.
 */
export function deriveJobMetrics(newestFirst: readonly MetricsPoint[], totals: MachineTotals): Wire.Metric[] {
  const points = newestFirst.slice(0, -1);
  if (points.length === 0) return [];
  const timestamps = points.map((point) => wireTime(point.timestampMicro));
  const series = (name: string, values: readonly number[]): Wire.Metric => ({ name, timestamps, values: [...values] });
  const constant = (name: string, value: number | undefined): Wire.Metric[] =>
    value === undefined
      ? []
      : [
          series(
            name,
            points.map(() => value),
          ),
        ];
  const gpuCount = points[0]?.gpus.length ?? 0;
  const perGpu = Array.from({ length: gpuCount }, (_, gpu) => [
    series(
      `gpu_memory_usage_bytes_gpu${gpu}`,
      points.map((point) => point.gpus[gpu]?.memoryUsageBytes ?? 0),
    ),
    series(
      `gpu_util_percent_gpu${gpu}`,
      points.map((point) => point.gpus[gpu]?.utilPercent ?? 0),
    ),
  ]).flat();
  return [
    series(
      'cpu_usage_percent',
      points.map((point, i) => cpuPercent(point, newestFirst[i + 1] ?? point)),
    ),
    series(
      'memory_usage_bytes',
      points.map((point) => point.memoryUsageBytes),
    ),
    series(
      'memory_working_set_bytes',
      points.map((point) => point.memoryWorkingSetBytes),
    ),
    ...constant('cpus_detected_num', totals.cpus),
    ...constant('memory_total_bytes', totals.memoryBytes),
    series(
      'gpus_detected_num',
      points.map((point) => point.gpus.length),
    ),
    ...(gpuCount === 0 ? [] : constant('gpu_memory_total_bytes', totals.gpuMemoryBytes)),
    ...perGpu,
  ];
}

function cpuPercent(point: MetricsPoint, before: MetricsPoint): number {
  const elapsed = point.timestampMicro - before.timestampMicro;
  const used = point.cpuUsageMicros - before.cpuUsageMicros;
  return elapsed <= 0 || used < 0 ? 0 : Math.round((used / elapsed) * 10_000) / 100;
}

function wireTime(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toISOString();
}
