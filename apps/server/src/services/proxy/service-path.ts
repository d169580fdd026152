/** What a request's target says, before anything of it is decoded. */
export interface ServicePath {
  readonly project: string;
  readonly run: string;
  /** `/proxy/services/main/llm`: what is cut off for replicas that see their own paths only. */
  readonly prefix: string;
  /** From the slash after the prefix on, with the query; null: the slash is missing. */
  readonly rest: string | null;
}

const TARGET = /^(\/proxy\/services\/([A-Za-z0-9_-]{1,100})\/([A-Za-z0-9-]{1,100}))(?:(\/.*)|(\?.*)?)$/;

/** Null: it is no target of a service. Names hold nothing that could be written in two ways. */
export function parseServicePath(target: string): ServicePath | null {
  const [, prefix, project, run, rest] = TARGET.exec(target) ?? [];
  if (prefix === undefined || project === undefined || run === undefined) return null;
  return { project, run, prefix, rest: rest ?? null };
}

/** Where a target without its last slash is sent. */
export function withSlash(target: string): string {
  const [path = '', query] = target.split('?', 2);
  return query === undefined ? `${path}/` : `${path}/?${query}`;
}
