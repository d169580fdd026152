/** One rule of a (cluster) role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface Roles {
  /** Hold in every namespace and outside of them. */
  readonly cluster: readonly Rule[];
  readonly namespaced: readonly Rule[];
}

export interface Access {
  readonly verb: string;
  readonly resource: string;
  /** Null: a resource of the cluster, or all namespaces at once. */
  readonly namespace: string | null;
}

/** @param home the namespace that the namespaced role is bound in */
export function mayAccess(roles: Roles, { verb, resource, namespace }: Access, home: string): boolean {
  const allows = ({ apiGroups, resources, verbs }: Rule): boolean =>
    apiGroups.includes('') && resources.includes(resource) && verbs.includes(verb);
  return roles.cluster.some(allows) || (namespace === home && roles.namespaced.some(allows));
}
