/** The text without the stop text that it ends with. */
export function trimStop(text: string, stops: readonly string[]): string {
  const longest = stops
    .filter((stop) => stop !== '' && text.endsWith(stop))
    .reduce((best, stop) => (stop.length > best.length ? stop : best), '');
  return text.slice(0, text.length - longest.length);
}

/** A stop text may come in several pieces: what can be the begin of one is held back until the next piece shows. */
export class StopHold {
  private held = '';

  constructor(private readonly stops: readonly string[]) {}

  /** What is surely part of the answer. */
  push(text: string): string {
    const all = this.held + text;
    const from = heldFrom(all, this.stops);
    this.held = all.slice(from);
    return all.slice(0, from);
  }

  /** What is left of the answer when nothing comes any more. */
  end(): string {
    const rest = trimStop(this.held, this.stops);
    this.held = '';
    return rest;
  }
}

function heldFrom(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map(({ length }) => length));
  for (let from = Math.max(0, text.length - longest); from < text.length; from += 1) {
    const tail = text.slice(from);
    if (stops.some((stop) => stop.startsWith(tail))) return from;
  }
  return text.length;
}
