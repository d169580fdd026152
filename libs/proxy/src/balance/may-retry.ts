/** How far a request had come when it failed. */
export type FailedAt = 'connect' | 'sent' | 'answered';

const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether another replica may be asked: nobody has seen the request, or to see it twice changes nothing. */
export function mayRetry(method: string, failedAt: FailedAt, bodyIsKept: boolean): boolean {
  if (failedAt === 'answered' || !bodyIsKept) return false;
  return failedAt === 'connect' || REPEATABLE.has(method);
}
