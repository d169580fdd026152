import type { GatewayRateLimit } from '@dstack/gateway-protocol';

export interface LimitedPath {
  readonly path: string;
  readonly match: 'exact' | 'prefix';
  /** Index of the rate limit that holds there; null: none. */
  readonly limit: number | null;
}

/**
 * The paths nginx has to tell from each other, so that every request meets the limit with the longest prefix that fits, and only paths that may
 * be asked are. What is in none of them is refused.
 */
export function limitedPaths(
  limits: readonly GatewayRateLimit[],
  onlyPaths: readonly { readonly path: string; readonly match: 'exact' | 'prefix' }[] | null,
): LimitedPath[] {
  const open = onlyPaths ?? [{ path: '/', match: 'prefix' as const }];
  const paths = new Map<string, LimitedPath>();
  const add = (path: string, match: 'exact' | 'prefix'): void => {
    paths.set(`${match} ${path}`, { path, match, limit: longest(limits, path) });
  };
  for (const { path, match } of open) add(path, match);
  const isOpen = (path: string): boolean => open.some((each) => each.match === 'prefix' && path.startsWith(each.path));
  for (const { prefix } of limits) if (isOpen(prefix)) add(prefix, 'prefix');
  return [...paths.values()].sort((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : a.match === 'exact' ? -1 : 1,
  );
}

function longest(limits: readonly GatewayRateLimit[], path: string): number | null {
  let best: number | null = null;
  limits.forEach(({ prefix }, index) => {
    if (!path.startsWith(prefix)) return;
    if (best === null || prefix.length > (limits[best]?.prefix.length ?? 0)) best = index;
  });
  return best;
}

/** As nginx counts: whole requests a minute. */
export function requestsPerMinute(requestsPerSecond: number): number {
  return Math.max(1, Math.round(requestsPerSecond * 60));
}
