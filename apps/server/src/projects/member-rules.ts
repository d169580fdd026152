import { hasRole, type ProjectRole, type ProjectScope } from '../auth/caller.js';
import { ClientError, ForbiddenError } from '../http/api-errors.js';

export interface MemberChange {
  readonly userId: string;
  readonly from: ProjectRole | null;
  readonly to: ProjectRole | null;
}

/** A project keeps an admin, and nobody below admin makes, demotes or removes one – also not by naming an existing member. */
export function refuseMemberChange(
  scope: ProjectScope,
  current: ReadonlyMap<string, ProjectRole>,
  changes: readonly MemberChange[],
): void {
  const others = changes.filter(({ userId }) => userId !== scope.caller.id);
  const touchesAdmins = others.some(({ from, to }) => from === 'admin' || to === 'admin');
  const promotesSelf = changes.some(({ userId, to }) => userId === scope.caller.id && to !== null && to !== 'user');
  if (!hasRole(scope, 'admin') && touchesAdmins)
    throw new ForbiddenError('Only project admins may change project admins');
  if (!hasRole(scope, 'manager') && promotesSelf)
    throw new ForbiddenError('Joining a public project gives the role user');
  if (!hasRole(scope, 'admin') && changes.some(({ userId, to }) => userId === scope.caller.id && to === 'admin'))
    throw new ForbiddenError('Only project admins may change project admins');
  const after = new Map(current);
  for (const { userId, to } of changes) {
    if (to === null) after.delete(userId);
    else after.set(userId, to);
  }
  const hadAdmin = [...current.values()].includes('admin');
  if (hadAdmin && ![...after.values()].includes('admin'))
    throw new ClientError('At least one project admin must remain. Make another member an admin first');
}
