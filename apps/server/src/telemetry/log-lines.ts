export interface LogLine {
  readonly level: 'fatal' | 'error' | 'warn' | 'log' | 'debug' | 'verbose';
  /** The part of the server that says it. */
  readonly context: string;
  readonly text: string;
  /** What it is about: `run_id`, `job_id` … */
  readonly fields: Readonly<Record<string, string>>;
  /** What went wrong, where something did. */
  readonly error: unknown;
  readonly trace: { readonly traceId: string; readonly spanId: string } | null;
}

type Listener = (line: LogLine) => void;

let listeners: readonly Listener[] = [];

/** Each line that the server writes is told to these as well, for this process. */
export function tellLines(to: readonly Listener[]): void {
  listeners = to;
}

export function tell(line: () => LogLine): void {
  if (listeners.length === 0) return;
  const told = line();
  for (const listener of listeners) listener(told);
}
