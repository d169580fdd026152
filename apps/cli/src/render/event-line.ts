import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';

/** `[2026-08-14 10:02:11] [alice] [run train] Run submitted.` in local time. Pure. */
export function eventLine(event: Wire.Event, style: Style): string {
  const actor = event.actor_user ? `${style.info(`[${event.actor_user}]`)} ` : '';
  const targets = event.targets.map((target) => `${target.type} ${target.name}`).join(', ');
  const where = targets === '' ? '' : `${style.secondary(`[${targets}]`)} `;
  return `${style.secondary(`[${localTime(event.recorded_at)}]`)} ${actor}${where}${event.message.replace(/\s*\n\s*/g, ' ')}`;
}

export function localTime(iso: string): string {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
