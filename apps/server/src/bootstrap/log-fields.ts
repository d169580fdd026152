import { AsyncLocalStorage } from 'node:async_hooks';

/** What a line of the log is about, as ids: `run_id`, `job_id`, `instance_id` … */
export type LogFields = Readonly<Record<string, string>>;

const current = new AsyncLocalStorage<LogFields>();

/** Lines that are written by `work`, and by what it starts, are about these. */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return current.run(fields, work);
}

/** What follows is about nothing in particular, though something in particular caused it. */
export function withoutLogFields<T>(work: () => T): T {
  return current.exit(work);
}

export function logFields(): LogFields {
  return current.getStore() ?? {};
}
