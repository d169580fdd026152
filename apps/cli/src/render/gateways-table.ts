import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { type Cell, renderTable } from '../terminal/table.js';
import { relativeTime } from './relative-time.js';

export interface GatewaysTableOptions {
  readonly style: Style;
  readonly width: number;
  readonly nowMs: number;
  readonly verbose: boolean;
  readonly project: string;
}

export function gatewaysTable(gateways: readonly Wire.Gateway[], options: GatewaysTableOptions): string {
  const { style, verbose, nowMs } = options;
  const rows = gateways.flatMap((gateway): Cell[][] => {
    const { configuration, replicas = [] } = gateway;
    const name = gateway.project_name === options.project ? gateway.name : `${gateway.project_name}/${gateway.name}`;
    const row = (cells: {
      name: string;
      place: string;
      host: string;
      domain: string;
      isDefault: boolean;
      status: string;
      created: string;
      error: string;
    }) => [
      { text: cells.name, paint: style.bold },
      { text: cells.place },
      { text: cells.host },
      { text: cells.domain },
      { text: cells.isDefault ? '✓' : '', paint: style.success },
      { text: cells.status, paint: cells.status === 'failed' ? style.error : style.plain },
      ...(verbose
        ? [
            { text: relativeTime(cells.created, nowMs), paint: style.secondary },
            { text: cells.error, paint: style.error },
          ]
        : []),
    ];
    const place = `${configuration.backend} (${configuration.region})`;
    const head = row({
      name,
      place,
      host: gateway.hostname ?? '',
      domain: gateway.wildcard_domain ?? '',
      isDefault: gateway.default,
      status: gateway.status,
      created: gateway.created_at,
      error: gateway.status_message ?? '',
    });
    if (replicas.length <= 1) return [head];
    const below = replicas.map((replica) =>
      row({
        name: `   replica=${replica.replica_num}`,
        place: replica.backend ? `${replica.backend} (${replica.region ?? ''})` : '',
        host: replica.hostname ?? '',
        domain: '',
        isDefault: false,
        status: replica.status,
        created: replica.created_at,
        error: replica.status_message ?? '',
      }),
    );
    return [head, ...below];
  });
  const titles = [
    'NAME',
    'BACKEND',
    'HOSTNAME',
    'DOMAIN',
    'DEFAULT',
    'STATUS',
    ...(verbose ? ['CREATED', 'ERROR'] : []),
  ];
  return renderTable(
    titles.map((title) => ({ title, ...(title === 'ERROR' || title === 'HOSTNAME' ? { shrinkTo: 10 } : {}) })),
    rows,
    { width: options.width, headPaint: style.bold },
  );
}
