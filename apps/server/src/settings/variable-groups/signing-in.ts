import type { Variable } from '../variable.js';

export const SIGNING_IN = {
  DSTACK_OIDC_ISSUER: {
    type: 'text',
    says: 'URL of the OpenID Connect provider that people sign in with',
    ours: true,
  },
  DSTACK_OIDC_CLIENT_ID: { type: 'text', says: 'This server at the provider', ours: true },
  DSTACK_OIDC_CLIENT_SECRET: {
    type: 'text',
    otherwise: 'a public client',
    says: 'Its secret there',
    secret: true,
    ours: true,
  },
  DSTACK_OIDC_NAME: { type: 'text', default: 'oidc', says: 'As `dstack login --provider` has it', ours: true },
  DSTACK_OIDC_SCOPES: { type: 'text', default: 'openid profile email', says: 'What is asked for', ours: true },
  DSTACK_OIDC_USERNAME_CLAIM: {
    type: 'text',
    default: 'preferred_username',
    says: 'Where the name of the user is',
    ours: true,
  },
  DSTACK_OIDC_GROUPS_CLAIM: { type: 'text', default: 'groups', says: 'Where the groups of the user are', ours: true },
  DSTACK_OIDC_ALLOWED_GROUPS: {
    type: 'text',
    otherwise: 'everybody whom the provider lets in',
    says: 'Groups whose members may sign in, separated by commas',
    ours: true,
  },
  DSTACK_OIDC_ADMIN_GROUPS: { type: 'text', says: 'Groups whose members are global admins', ours: true },
  DSTACK_OIDC_PROJECT_ROLES: { type: 'text', says: 'Roles by group: `GROUP=PROJECT:ROLE,…`', ours: true },
} as const satisfies Readonly<Record<string, Variable>>;
