import type { Wire } from '@dstack/core';

/** What it does, where the server tells more than the contract has words for. Pure. */
export function volumeState(volume: Wire.Volume): string {
  return textOf(volume, 'status_display') ?? volume.status;
}

/** Why it failed, or what is in the way of what it does. Pure. */
export function volumeTrouble(volume: Wire.Volume): string {
  return volume.status_message ?? textOf(volume, 'last_error') ?? '';
}

function textOf(volume: object, field: string): string | undefined {
  const value: unknown = Object.entries(volume).find(([key]) => key === field)?.[1];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
