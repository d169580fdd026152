import { deriveJobMetrics, type MetricsPoint } from './job-metrics.js';

const SECOND = 1_000_000;
const point = (seconds: number, cpuSeconds: number, gpus: MetricsPoint['gpus'] = []): MetricsPoint => ({
  timestampMicro: seconds * SECOND,
  cpuUsageMicros: cpuSeconds * SECOND,
  memoryUsageBytes: seconds * 100,
  memoryWorkingSetBytes: seconds * 10,
  gpus,
});
const named = (metrics: ReturnType<typeof deriveJobMetrics>) =>
  Object.fromEntries(metrics.map((m) => [m.name, m.values]));

describe('job metrics', () => {
  it.each([
    ['no points', []],
    ['one point, which is only a base', [point(10, 1)]],
  ])('are empty with %s', (_name, points) => {
    expect(deriveJobMetrics(points, {})).toEqual([]);
  });

  it('give CPU usage as the share of one CPU between points, newest first', () => {
    const values = named(deriveJobMetrics([point(30, 25), point(20, 5), point(10, 0)], { cpus: 4, memoryBytes: 1000 }));
    expect(values['cpu_usage_percent']).toEqual([200, 50]);
    expect(values['memory_usage_bytes']).toEqual([3000, 2000]);
    expect(values['cpus_detected_num']).toEqual([4, 4]);
    expect(values['memory_total_bytes']).toEqual([1000, 1000]);
    expect(values['gpus_detected_num']).toEqual([0, 0]);
  });

  it('call a counter that fell (a restarted job) zero, not negative', () => {
    expect(named(deriveJobMetrics([point(20, 1), point(10, 9)], {}))['cpu_usage_percent']).toEqual([0]);
  });

  it('give each GPU its own series', () => {
    const gpus = [
      { memoryUsageBytes: 7, utilPercent: 90 },
      { memoryUsageBytes: 8, utilPercent: 10 },
    ];
    const values = named(deriveJobMetrics([point(20, 1, gpus), point(10, 0, gpus)], { gpuMemoryBytes: 80 }));
    expect(values['gpu_memory_usage_bytes_gpu1']).toEqual([8]);
    expect(values['gpu_util_percent_gpu0']).toEqual([90]);
    expect(values['gpu_memory_total_bytes']).toEqual([80]);
  });
});
