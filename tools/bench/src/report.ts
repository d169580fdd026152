import { isMet, type Measurement } from './bench.js';

/** One line per measurement for people: name, value, floor and target. */
export function tell(measurement: Measurement): string {
  const { name, value, unit, floor, target } = measurement;
  const parts = [`  ${name}: ${short(value)} ${unit}`];
  if (floor !== undefined) {
    parts.push(`(${floor.what}: ${short(floor.value)}, ${short(value / floor.value)}×)`);
  }
  if (target !== undefined) {
    const wanted = 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
    parts.push(`[target ${wanted}: ${isMet(measurement) === true ? 'met' : 'MISSED'}]`);
  }
  return parts.join(' ');
}

/** Three significant digits, whole numbers above a thousand. */
function short(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toString() : Number(value.toPrecision(3)).toString();
}
