import type { Wire } from '@dstack/core';
import type { Paint, Style } from '../terminal/style.js';
import { renderBlocks } from '../terminal/blocks.js';
import type { Cell, Column } from '../terminal/table.js';
import { wrapText } from '../terminal/wrap.js';
import { formatBackend } from './backend.js';
import { instanceTrouble, isFailed } from './instance-trouble.js';
import { formatPrice } from './price.js';
import { relativeTime } from './relative-time.js';
import { formatGpus, formatRange, formatResources, formatResourcesSpec } from './resources.js';

export interface FleetsTableOptions {
  readonly style: Style;
  readonly width: number;
  readonly nowMs: number;
  readonly verbose?: boolean;
  /** The user's project: others are named. */
  readonly project?: string;
}

/** Fleets, newest first, with their instances below. Pure. */
export function fleetsTable(fleets: readonly Wire.Fleet[], options: FleetsTableOptions): string {
  const verbose = options.verbose ?? false;
  const columns: Column[] = [
    { title: 'NAME' },
    { title: 'NODES' },
    ...(verbose
      ? [
          { title: 'RESOURCES', shrinkTo: 12 },
          { title: 'DRIVER', shrinkTo: 6 },
        ]
      : [{ title: 'GPU', shrinkTo: 8 }]),
    { title: 'SPOT' },
    { title: 'BACKEND', shrinkTo: 10 },
    { title: 'PRICE' },
    { title: 'STATUS' },
    { title: 'CREATED' },
    ...(verbose ? [{ title: 'ERROR', shrinkTo: 10 }] : []),
  ];
  const newestFirst = [...fleets].sort((a, b) => b.created_at.localeCompare(a.created_at));
  const blocks = newestFirst.flatMap((fleet) => [
    { rows: [fleetRow(fleet, options)], below: [] },
    ...[...fleet.instances]
      .sort((a, b) => a.instance_num - b.instance_num)
      .map((instance) => ({ rows: [instanceRow(instance, options)], below: troubleLines(instance, options) })),
  ]);
  return renderBlocks(columns, blocks, { width: options.width, headPaint: options.style.bold });
}

/** What is wrong with an instance that cannot be used yet, or any more, is shown always; the rest when it is asked for. */
function troubleLines(instance: Wire.Instance, { style, width, verbose }: FleetsTableOptions): string[] {
  const isReady = instance.status === 'idle' || instance.status === 'busy';
  if (isReady && !verbose) return [];
  const paint = isFailed(instance) ? style.error : style.secondary;
  return instanceTrouble(instance).flatMap((text) =>
    wrapText(text, width, { first: '      ', rest: '      ' }).map(paint),
  );
}

function fleetRow(fleet: Wire.Fleet, { style, nowMs, verbose, project }: FleetsTableOptions): Cell[] {
  const { configuration, profile } = fleet.spec;
  const ssh = configuration.ssh_config;
  const cluster = verbose && configuration.placement === 'cluster' ? ' (cluster)' : '';
  const nodes = ssh ? String(ssh.hosts.length) : configuration.nodes ? formatRange(configuration.nodes) : '';
  const requested = !ssh && configuration.resources ? formatResourcesSpec(configuration.resources) : '';
  const gpu = requested.split(' ').find((part) => part.startsWith('gpu=')) ?? '';
  const maxPrice = configuration.max_price ?? profile.max_price;
  const name =
    project !== undefined && fleet.project_name !== project ? `${fleet.project_name}/${fleet.name}` : fleet.name;
  const grey = (text: string): Cell => ({ text, paint: style.secondary });
  return [
    { text: name, paint: style.bold },
    grey(`${nodes}${cluster}`),
    ...(verbose ? [grey(requested), grey('')] : [grey(gpu)]),
    grey(ssh ? '' : (configuration.spot_policy ?? profile.spot_policy ?? 'on-demand')),
    grey(ssh ? 'ssh' : (configuration.backends?.join(', ') ?? '*')),
    grey(typeof maxPrice === 'number' ? `$0..${formatPrice(maxPrice).slice(1)}` : ''),
    { text: fleet.status, paint: fleetPaint(fleet.status, style) },
    grey(relativeTime(fleet.created_at, nowMs)),
    ...(verbose ? [{ text: fleet.status_message ?? '', paint: style.error }] : []),
  ];
}

function instanceRow(instance: Wire.Instance, { style, nowMs, verbose }: FleetsTableOptions): Cell[] {
  const type = instance.instance_type;
  const zone = verbose && instance.availability_zone ? ` (${instance.availability_zone})` : '';
  const place =
    instance.backend && instance.region
      ? formatBackend({ ...instance, backend: instance.backend, region: instance.region })
      : '';
  const status = instanceStatus(instance);
  const host = verbose && instance.backend === 'remote' && instance.hostname ? ` ${instance.hostname}` : '';
  return [
    { text: `   instance=${instance.instance_num}${host}`, paint: style.secondary },
    { text: '' },
    ...(verbose
      ? [{ text: type ? formatResources(type.resources) : '' }, { text: instance.gpu_driver?.version ?? '' }]
      : [{ text: type ? (formatGpus(type.resources) ?? '-') : '-' }]),
    { text: !type || instance.backend === 'remote' ? '' : type.resources.spot ? 'spot' : 'on-demand' },
    { text: `${place}${zone}` },
    { text: typeof instance.price === 'number' && instance.backend !== 'remote' ? formatPrice(instance.price) : '' },
    { text: status, paint: instancePaint(instance.status, style) },
    { text: relativeTime(instance.created, nowMs), paint: style.secondary },
    ...(verbose ? [{ text: instance.termination_reason ?? '', paint: style.error }] : []),
  ];
}

function instanceStatus(instance: Wire.Instance): string {
  const total = instance.total_blocks ?? 1;
  const busy = instance.busy_blocks ?? 0;
  const words = total > 1 && busy > 0 ? `${busy}/${total} busy` : instance.status;
  if (instance.unreachable) return `${words} (unreachable)`;
  return instance.health_status && instance.health_status !== 'healthy'
    ? `${words} (${instance.health_status})`
    : words;
}

function fleetPaint(status: Wire.FleetStatus, style: Style): Paint {
  if (status === 'terminating') return style.info;
  return status === 'failed' ? style.error : style.secondary;
}

function instancePaint(status: Wire.InstanceStatus, style: Style): Paint {
  if (status === 'idle') return style.success;
  return status === 'terminated' ? style.secondary : style.info;
}
