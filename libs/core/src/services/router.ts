import type * as Wire from '../wire/generated/api.js';

/** The group whose replica gives requests to the replicas of the other groups, its workers; null: requests go to all replicas. */
export function routerGroup({ replicas }: Wire.ServiceConfiguration): Wire.ReplicaGroup | null {
  return Array.isArray(replicas) ? (replicas.find((group) => group.router) ?? null) : null;
}

/** Whether a replica of this group gets its requests from the router of its service; null: it has none. */
export function isRoutedWorker(group: string, router: string | null): boolean {
  return router !== null && group !== router;
}

/** Behind a router, nobody but that is asked from outside. */
export function isAskedFromOutside(configuration: Wire.RunSpec['configuration'], replicaGroup: string): boolean {
  if (configuration.type !== 'service') return false;
  const router = routerGroup(configuration);
  return router === null || router.name === replicaGroup;
}

/** Workers of a Dynamo router are told where it is, and tell it of themselves. */
export function isDynamoWorker(configuration: Wire.RunSpec['configuration'], replicaGroup: string): boolean {
  const router = dynamoRouter(configuration);
  return router !== null && router.name !== replicaGroup;
}

export function isDynamoRouter(configuration: Wire.RunSpec['configuration'], replicaGroup: string): boolean {
  return dynamoRouter(configuration)?.name === replicaGroup;
}

function dynamoRouter(configuration: Wire.RunSpec['configuration']): Wire.ReplicaGroup | null {
  const router = configuration.type === 'service' ? routerGroup(configuration) : null;
  return router?.router?.type === 'dynamo' ? router : null;
}

export interface AllowedPath {
  readonly path: string;
  readonly match: 'exact' | 'prefix';
}

/** What of a router may be asked from outside; its control API is not among it. */
export const ROUTER_PATHS: readonly AllowedPath[] = [
  { path: '/generate', match: 'exact' },
  { path: '/chat/completions', match: 'exact' },
  { path: '/v1/', match: 'prefix' },
];

/** @param target as a router gets it, with the query */
export function isRouterPath(target: string): boolean {
  const [path = ''] = target.split('?', 1);
  const decoded = decode(path);
  // Under a path that is allowed, another spelling may lead elsewhere.
  if (decoded === null || decoded.split(/[/\\]/).some((part) => part === '.' || part === '..')) return false;
  return ROUTER_PATHS.some((allowed) =>
    allowed.match === 'exact' ? path === allowed.path : path.startsWith(allowed.path),
  );
}

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
