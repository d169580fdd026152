import type { ProjectRole } from '../auth/caller.js';
import type { OidcSettings } from '../settings/oidc-settings.js';

/** Who signed in, as the provider says. */
export interface Person {
  /** Never changes and is never given to another one, unlike names and addresses. */
  readonly subject: string;
  readonly username: string;
  readonly email: string | null;
  readonly isEmailVerified: boolean;
  readonly groups: readonly string[];
}

export type Claims = Readonly<Record<string, unknown>>;

export function personOf(claims: Claims, settings: Pick<OidcSettings, 'usernameClaim' | 'groupsClaim'>): Person {
  const subject = textOf(claims['sub']) ?? '';
  const email = textOf(claims['email']);
  const said = textOf(claims[settings.usernameClaim]) ?? email ?? subject;
  return {
    subject,
    username: toUsername(said) || toUsername(subject),
    email,
    isEmailVerified: claims['email_verified'] === true,
    groups: groupsOf(claims[settings.groupsClaim]),
  };
}

export interface Grants {
  readonly isAllowed: boolean;
  /** Null: the provider does not say. */
  readonly globalRole: 'admin' | 'user' | null;
  /** By project, the highest of the roles that the person's groups have there. */
  readonly projects: ReadonlyMap<string, ProjectRole>;
}

const RANK: Readonly<Record<ProjectRole, number>> = { user: 1, manager: 2, admin: 3 };

export function grantsOf(
  groups: readonly string[],
  { allowedGroups, adminGroups, projectRoles }: Pick<OidcSettings, 'allowedGroups' | 'adminGroups' | 'projectRoles'>,
): Grants {
  const isInOneOf = (some: readonly string[]): boolean => some.some((group) => groups.includes(group));
  const projects = new Map<string, ProjectRole>();
  for (const { group, project, role } of projectRoles) {
    if (!groups.includes(group)) continue;
    const known = projects.get(project);
    if (known === undefined || RANK[role] > RANK[known]) projects.set(project, role);
  }
  return {
    isAllowed: allowedGroups.length === 0 || isInOneOf(allowedGroups),
    globalRole: adminGroups.length === 0 ? null : isInOneOf(adminGroups) ? 'admin' : 'user',
    projects,
  };
}

/** The part of an address that names the person, with what names may have. */
function toUsername(text: string): string {
  return text.replace(/@.*$/, '').replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 50); // prettier-ignore
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function groupsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
