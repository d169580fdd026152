export type GlobalRole = 'admin' | 'user';
export type ProjectRole = 'admin' | 'manager' | 'user';

/** Who sends the request. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly globalRole: GlobalRole;
  /** Set when the request came with a token that was made beside the user's own. */
  readonly tokenId?: string;
}

/** The project a request is about, and what its sender may do there. */
export interface ProjectScope {
  readonly projectId: string;
  readonly projectName: string;
  readonly isPublic: boolean;
  readonly ownerId: string;
  readonly caller: Caller;
  /** Null: not a member (a global admin, or a visitor of a public project). */
  readonly role: ProjectRole | null;
}

const RANK: Readonly<Record<ProjectRole, number>> = { user: 1, manager: 2, admin: 3 };

export function hasRole(scope: ProjectScope, atLeast: ProjectRole): boolean {
  if (scope.caller.globalRole === 'admin') return true;
  return scope.role !== null && RANK[scope.role] >= RANK[atLeast];
}
