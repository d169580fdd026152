export interface OrphanBalancer<Listed> {
  readonly balancer: Listed;
  /** While a restored database is trusted with nothing, it is only told of. */
  readonly mayBeDeleted: boolean;
}

/**
 * Load balancers that a cloud lists as ours and that no gateway has: they cost money, and hold nothing of anybody's. A gateway is on disk before
 * its balancer exists, so who lists first and reads the names of gateways then takes none that is being made.
 *
 * @param names of the balancers of all gateways that are not deleted, in all projects: several may share an account of the cloud
 * @param isQuarantined unknown things of this installation are left alone for now
 */
export function findOrphanBalancers<Listed extends { readonly cloudName: string }>(
  listed: readonly Listed[],
  names: readonly string[],
  isQuarantined: boolean,
): OrphanBalancer<Listed>[] {
  const known = new Set(names);
  return listed
    .filter(({ cloudName }) => !known.has(cloudName))
    .map((balancer) => ({ balancer, mayBeDeleted: !isQuarantined }));
}
