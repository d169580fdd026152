import type { SpanAttributes, SpanStart } from './traced.js';

/** How often something was done, and how long it took in all. */
export interface Count {
  readonly of: SpanStart['kind'];
  readonly labels: Readonly<Record<string, string>>;
  count: number;
  seconds: number;
}

/** What the server does, counted since it started: requests, passes over rows, calls to clouds. */
export class TelemetryCounts {
  private readonly counts = new Map<string, Count>();

  constructor(
    /** Milliseconds that only rise. */
    private readonly now: () => number,
    private readonly also: (of: SpanStart['kind'], labels: Count['labels'], seconds: number) => void = () => undefined,
  ) {}

  begin(): (start: SpanStart, attributes: SpanAttributes, error: unknown) => void {
    const began = this.now();
    return (start, attributes, error) => {
      const seconds = (this.now() - began) / 1_000;
      const labels = labelsOf(start, attributes, error);
      const key = JSON.stringify([start.kind, labels]);
      const count = this.counts.get(key) ?? { of: start.kind, labels, count: 0, seconds: 0 };
      count.count += 1;
      count.seconds += seconds;
      this.counts.set(key, count);
      this.also(start.kind, labels, seconds);
    };
  }

  all(): readonly Count[] {
    return [...this.counts.values()];
  }
}

/** Few values each: no names, no ids. */
function labelsOf({ kind }: SpanStart, attributes: SpanAttributes, error: unknown): Count['labels'] {
  const text = (name: string): string => String(attributes[name] ?? '');
  const outcome = error === undefined ? 'ok' : 'error';
  if (kind === 'request')
    return {
      method: text('http.request.method'),
      route: text('http.route'),
      status: text('http.response.status_code'),
    };
  if (kind === 'background') return { table: text('dstack.table'), outcome };
  return { backend: text('dstack.backend'), operation: text('dstack.operation'), outcome };
}
