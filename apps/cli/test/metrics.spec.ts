import type { Wire } from '@dstack/core';
import { metricsText, sparkline } from '../src/render/metrics-table.js';
import { createStyle, PLAIN_STYLE } from '../src/terminal/style.js';

const MIB = 1024 ** 2;
const options = { style: PLAIN_STYLE, width: 80 };

/** Series as the server sends them: newest first. */
function metrics(series: Readonly<Record<string, readonly number[]>>): Wire.JobMetrics {
  return {
    metrics: Object.entries(series).map(([name, values]) => ({
      name,
      timestamps: values.map((_value, index) => `2026-01-01T00:00:${String(59 - index)}Z`),
      values: [...values],
    })),
  };
}

describe('what a run uses', () => {
  it('is a row for the machine and one for each GPU, the newest value last', () => {
    const used = metrics({
      cpu_usage_percent: [400, 200, 0],
      memory_working_set_bytes: [512 * MIB, 512 * MIB, 0],
      cpus_detected_num: [4, 4, 4],
      memory_total_bytes: [1024 * MIB, 1024 * MIB, 1024 * MIB],
      gpus_detected_num: [1, 1, 1],
      gpu_util_percent_gpu0: [75, 25, 0],
      gpu_memory_usage_bytes_gpu0: [8192 * MIB, 0, 0],
      gpu_memory_total_bytes: [16384 * MIB, 16384 * MIB, 16384 * MIB],
    });
    expect(metricsText([{ name: 'job=0', metrics: used }], options).split('\n')).toEqual([
      '                 UTILIZATION              MEMORY',
      ' job=0   cpu     ▁▅█ 100%                 ▁▅▅ 512MB/1GB',
      '         gpu=0   ▁▃▇ 75%                  ▁▁▅ 8GB/16GB',
    ]);
  });

  it('says that there is nothing yet', () => {
    const text = metricsText([{ name: 'job=1', metrics: { metrics: [] } }], options);
    expect(text.split('\n')[1]).toBe(' job=1   no data');
  });

  it('does without totals that nobody knows', () => {
    const used = metrics({ cpu_usage_percent: [50], memory_working_set_bytes: [2048 * MIB] });
    expect(metricsText([{ name: 'job=0', metrics: used }], options)).toContain('▅ 50%');
    expect(metricsText([{ name: 'job=0', metrics: used }], options)).toMatch(/ 2GB$/);
  });

  it('fits its terminal: a cell stands for several samples, by their peak', () => {
    const { text, length } = sparkline([0, 0, 100, 0, 0, 0], 3, () => PLAIN_STYLE.plain);
    expect({ text, length }).toEqual({ text: '▁█▁', length: 3 });
    const used = metrics({ cpu_usage_percent: Array.from({ length: 360 }, () => 10), memory_working_set_bytes: [1] });
    const widths = metricsText([{ name: 'job=0', metrics: used }], { style: PLAIN_STYLE, width: 60 })
      .split('\n')
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(60);
  });

  it('has colours where there are any', () => {
    const used = metrics({ cpu_usage_percent: [95], memory_working_set_bytes: [1] });
    const coloured = metricsText([{ name: 'job=0', metrics: used }], { style: createStyle(true), width: 80 });
    expect(coloured).toContain('\u001b[31m');
  });
});
