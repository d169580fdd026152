import type { Wire } from '@dstack/core';
import type { Paint, Style } from '../terminal/style.js';
import { formatMib } from './resources.js';

export interface JobMetricsView {
  readonly name: string;
  readonly metrics: Wire.JobMetrics;
}

export interface MetricsOptions {
  readonly style: Style;
  readonly width: number;
}

const BARS = '▁▂▃▄▅▆▇█';
const LABEL_WIDTH = 17;
const MIN_SPARK = 10;
const MAX_SPARK = 80;

/** Utilisation and memory of CPUs and GPUs per job as sparklines of fixed scale 0–100 %. Pure. */
export function metricsText(jobs: readonly JobMetricsView[], { style, width }: MetricsOptions): string {
  const spark = Math.min(MAX_SPARK, Math.max(MIN_SPARK, Math.floor((width - LABEL_WIDTH - 30) / 2)));
  const column = spark + 7;
  const head = `${' '.repeat(LABEL_WIDTH)}${style.bold('UTILIZATION'.padEnd(column))}  ${style.bold('MEMORY')}`;
  const lines = jobs.flatMap(({ name, metrics }) => jobLines(name, metrics, spark, column, style));
  return [head, ...lines].join('\n');
}

function jobLines(name: string, metrics: Wire.JobMetrics, spark: number, column: number, style: Style): string[] {
  const series = (metric: string) => numbers(metrics.metrics.find((each) => each.name === metric)).reverse();
  const latest = (metric: string) => numbers(metrics.metrics.find((each) => each.name === metric))[0];
  const cpus = latest('cpus_detected_num') ?? 1;
  const cpu = series('cpu_usage_percent').map((value) => value / cpus);
  const label = ` ${name}`.padEnd(LABEL_WIDTH - 8);
  if (cpu.length === 0) return [`${label}${style.secondary('no data')}`];
  const total = latest('memory_total_bytes');
  const memory = series('memory_working_set_bytes');
  const rows = [row(`${label}cpu`, cpu, memory, total, spark, column, (value) => hostPaint(value, style))];
  const gpus = latest('gpus_detected_num') ?? 0;
  for (let i = 0; i < gpus; i += 1) {
    const utilization = series(`gpu_util_percent_gpu${i}`);
    const gpuMemory = series(`gpu_memory_usage_bytes_gpu${i}`);
    const gpuTotal = latest('gpu_memory_total_bytes');
    rows.push(
      row(`${' '.repeat(LABEL_WIDTH - 8)}gpu=${i}`, utilization, gpuMemory, gpuTotal, spark, column, (value) =>
        gpuPaint(value, style),
      ),
    );
  }
  return rows;
}

function row(
  label: string,
  utilization: readonly number[],
  memory: readonly number[],
  total: number | undefined,
  spark: number,
  column: number,
  paint: (percent: number) => Paint,
): string {
  const left = sparkline(utilization, spark, paint);
  const percent = `${Math.round(utilization.at(-1) ?? 0)}%`;
  const used = memory.at(-1);
  const shares = total ? memory.map((bytes) => (bytes / total) * 100) : [];
  const words = used === undefined ? 'no data' : `${bytesText(used)}${total ? `/${bytesText(total)}` : ''}`;
  const padding = ' '.repeat(Math.max(0, column - left.length - 1 - percent.length));
  return `${label.padEnd(LABEL_WIDTH)}${left.text} ${percent}${padding}  ${sparkline(shares, spark, paint).text} ${words}`;
}

/** The last cell is the latest sample; height is the peak and colour the mean of the samples of a cell. */
export function sparkline(
  values: readonly number[],
  width: number,
  paint: (percent: number) => Paint,
): { text: string; length: number } {
  const per = Math.max(1, Math.ceil(values.length / width));
  const cells: { peak: number; mean: number }[] = [];
  for (let end = values.length; end > 0; end -= per) {
    const bucket = values.slice(Math.max(0, end - per), end);
    cells.unshift({ peak: Math.max(...bucket), mean: bucket.reduce((sum, value) => sum + value, 0) / bucket.length });
  }
  const text = cells.map(({ peak, mean }) => paint(mean)(barOf(peak))).join('');
  return { text, length: cells.length };
}

function barOf(percent: number): string {
  return BARS[Math.min(BARS.length - 1, Math.max(0, Math.floor((percent / 100) * BARS.length)))] ?? ' ';
}

function hostPaint(percent: number, style: Style): Paint {
  if (percent >= 90) return style.error;
  return percent >= 50 ? style.warning : style.info;
}

function gpuPaint(percent: number, style: Style): Paint {
  if (percent >= 50) return style.success;
  return percent >= 25 ? style.plain : style.secondary;
}

function bytesText(bytes: number): string {
  return formatMib(Math.round(bytes / 1024 / 1024));
}

function numbers(metric: Wire.Metric | undefined): number[] {
  return (metric?.values ?? []).map(Number).filter((value) => !Number.isNaN(value));
}
