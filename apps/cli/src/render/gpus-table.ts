import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { renderTable } from '../terminal/table.js';
import { trimmed } from './price.js';
import { formatMib } from './resources.js';

export interface GpusTableOptions {
  readonly style: Style;
  readonly width: number;
  readonly groupBy: readonly string[];
}

const MANY_REGIONS = 3;

/** Offers grouped by GPU (and backend, region, count). Pure. */
export function gpusTable(gpus: readonly Wire.GpuGroup[], { style, width, groupBy }: GpusTableOptions): string {
  const byBackend = groupBy.includes('backend');
  const byRegion = groupBy.includes('region');
  const rows = gpus.map((gpu, i) => {
    const regions = gpu.regions ?? [];
    return [
      { text: String(i + 1), paint: style.secondary },
      { text: `${gpu.name}:${formatMib(gpu.memory_mib)}:${spread(gpu.count, String)}`, paint: style.bold },
      gpu.spot.join(', '),
      spread(gpu.price, trimmed),
      byBackend ? (gpu.backend ?? '') : (gpu.backends ?? []).join(', '),
      ...(byRegion
        ? [gpu.region ?? '']
        : byBackend
          ? [regions.length > MANY_REGIONS ? `${regions.length} regions` : regions.join(', ')]
          : []),
      gpu.availability.some((each) => each === 'available' || each === 'unknown' || each === 'idle')
        ? ''
        : gpu.availability.join(', ').replaceAll('_', ' '),
    ];
  });
  const titles = [
    '#',
    'GPU',
    'SPOT',
    '$/GPU',
    byBackend ? 'BACKEND' : 'BACKENDS',
    ...(byRegion ? ['REGION'] : byBackend ? ['REGIONS'] : []),
    '',
  ];
  return renderTable(
    titles.map((title) => ({ title, ...(/^(BACKENDS|REGIONS)$/.test(title) ? { shrinkTo: 8 } : {}) })),
    rows,
    { width, headPaint: style.bold },
  );
}

function spread(range: { min?: number | null; max?: number | null }, format: (value: number) => string): string {
  const { min = null, max = null } = range;
  if (min === null || max === null || min === max) return format(min ?? max ?? 0);
  return `${format(min)}..${format(max)}`;
}
