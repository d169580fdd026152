import { randomUUID } from 'node:crypto';
import { rowId } from './row-id.js';

describe('The id of a row', () => {
  const at = (now: number) => rowId({ clock: { now: () => now }, ids: { uuid: () => randomUUID() } });

  it('is a UUID v4', () => {
    expect(at(1_764_000_000_000)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('comes after those of earlier milliseconds', () => {
    const times = [0, 1, 1_764_000_000_000, 1_764_000_000_001, 1_764_000_065_536];
    const made = times.map(at);
    expect([...made].sort()).toEqual(made);
  });

  it('comes after those that were made before in the same millisecond', () => {
    const world = { clock: { now: () => 5 }, ids: { uuid: () => randomUUID() } };
    const made = Array.from({ length: 5_000 }, () => rowId(world));
    expect(made.slice(0, 4_096)).toEqual(made.slice(0, 4_096).sort());
    expect(new Set(made).size).toBe(made.length);
  });

  it('differs from others of the same millisecond', () => {
    expect(at(5)).not.toBe(at(5));
  });
});
