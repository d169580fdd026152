import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { type Cell, renderTable } from '../terminal/table.js';
import { formatPrice } from './price.js';
import { relativeTime } from './relative-time.js';
import { volumeState, volumeTrouble } from './volume-state.js';

export interface VolumesTableOptions {
  readonly style: Style;
  readonly width: number;
  readonly nowMs: number;
  readonly verbose: boolean;
}

export function volumesTable(
  volumes: readonly Wire.Volume[],
  { style, width, nowMs, verbose }: VolumesTableOptions,
): string {
  const rows = volumes.map((volume): Cell[] => {
    const { backend = 'aws', region = '' } = volume.configuration;
    const zone = volume.provisioning_data?.availability_zone;
    const place = verbose
      ? [{ text: backend }, { text: zone ? `${region} (${zone})` : region }]
      : [{ text: `${backend} (${region})` }];
    const attached =
      volume.attachments?.map((attachment) => attachment.instance.fleet_name ?? attachment.instance.name) ?? [];
    const finished = volume.status === 'failed' ? style.error : volume.status === 'active' ? style.success : style.info;
    return [
      { text: volume.name, paint: style.bold },
      ...place,
      { text: volumeState(volume), paint: finished },
      ...(verbose ? [{ text: [...new Set(attached)].join(', ') || '-' }, { text: monthlyPrice(volume) }] : []),
      { text: relativeTime(volume.created_at, nowMs), paint: style.secondary },
      ...(verbose ? [{ text: volumeTrouble(volume), paint: style.error }] : []),
    ];
  });
  const titles = verbose
    ? ['NAME', 'BACKEND', 'REGION', 'STATUS', 'ATTACHED', 'PRICE', 'CREATED', 'ERROR']
    : ['NAME', 'BACKEND', 'STATUS', 'CREATED'];
  return renderTable(
    titles.map((title) => ({ title, ...(title === 'ERROR' ? { shrinkTo: 10 } : {}) })),
    rows,
    { width, headPaint: style.bold },
  );
}

function monthlyPrice({ provisioning_data: data, external }: Wire.Volume): string {
  const price = external ? null : (data?.price ?? null);
  return price === null ? '-' : `${formatPrice(price)}/month`;
}
