import type { ProjectRole } from '../auth/caller.js';

/** The provider that people sign in with, and what it says of them. */
export interface OidcSettings {
  /** As `dstack login --provider` has it. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client, which proves itself by PKCE alone. */
  readonly clientSecret: string | undefined;
  readonly scopes: string;
  readonly usernameClaim: string;
  readonly groupsClaim: string;
  /** Empty: everybody whom the provider lets in. */
  readonly allowedGroups: readonly string[];
  /** Empty: the provider makes no global admins, and takes none away. */
  readonly adminGroups: readonly string[];
  readonly projectRoles: readonly GroupRole[];
}

export interface GroupRole {
  readonly group: string;
  readonly project: string;
  readonly role: ProjectRole;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined when no provider is configured. `refuse` throws with what is wrong. */
export function readOidcSettings(env: Environment, refuse: (message: string) => never): OidcSettings | undefined {
  const [issuer, clientId] = [text(env, 'DSTACK_OIDC_ISSUER'), text(env, 'DSTACK_OIDC_CLIENT_ID')];
  if (issuer === undefined && clientId === undefined) return undefined;
  if (issuer === undefined || clientId === undefined)
    return refuse('DSTACK_OIDC_ISSUER and DSTACK_OIDC_CLIENT_ID are needed together.');
  if (!isSafeIssuer(issuer)) return refuse('DSTACK_OIDC_ISSUER must be an https URL (http only on loopback).');
  const name = text(env, 'DSTACK_OIDC_NAME') ?? 'oidc';
  if (!/^[a-z0-9-]{1,40}$/.test(name)) return refuse('DSTACK_OIDC_NAME takes lower-case letters, digits and "-".');
  return {
    name,
    issuer,
    clientId,
    clientSecret: text(env, 'DSTACK_OIDC_CLIENT_SECRET'),
    scopes: text(env, 'DSTACK_OIDC_SCOPES') ?? 'openid profile email',
    usernameClaim: text(env, 'DSTACK_OIDC_USERNAME_CLAIM') ?? 'preferred_username',
    groupsClaim: text(env, 'DSTACK_OIDC_GROUPS_CLAIM') ?? 'groups',
    allowedGroups: list(env, 'DSTACK_OIDC_ALLOWED_GROUPS'),
    adminGroups: list(env, 'DSTACK_OIDC_ADMIN_GROUPS'),
    projectRoles: list(env, 'DSTACK_OIDC_PROJECT_ROLES').map((item) => groupRole(item, refuse)),
  };
}

function groupRole(item: string, refuse: (message: string) => never): GroupRole {
  const [, group, project, role] = /^(.+)=([A-Za-z0-9_-]+):(admin|manager|user)$/.exec(item) ?? [];
  if (group === undefined || project === undefined || role === undefined)
    return refuse(`DSTACK_OIDC_PROJECT_ROLES takes GROUP=PROJECT:ROLE, separated by commas, not "${item}".`);
  return { group, project, role: role as ProjectRole };
}

/** Tokens travel there. */
function isSafeIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { protocol, hostname } = new URL(issuer);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
}

function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

function list(env: Environment, name: string): string[] {
  return (env[name] ?? '').split(',').map((item) => item.trim()).filter((item) => item !== ''); // prettier-ignore
}
