import type { TokenAccess } from './access.js';

export interface AccessQuestion {
  readonly auth: boolean;
  readonly project: string;
  /** Undefined: what came is no token of the server's. */
  readonly token: TokenAccess | undefined;
  /** One stands somewhere in what came, if only beside something else. */
  readonly hasToken: boolean;
  /** The server has not been heard of for too long: nobody knows whose token still holds. */
  readonly isStale: boolean;
}

export type AccessDecision =
  /** `dropsCredential`: it was a dstack token, which no replica gets to see. */
  | { readonly kind: 'admitted'; readonly dropsCredential: boolean }
  | { readonly kind: 'refused'; readonly why: 'stranger' | 'stale' };

export function decideAccess({ auth, project, token, hasToken, isStale }: AccessQuestion): AccessDecision {
  if (!auth) return { kind: 'admitted', dropsCredential: hasToken };
  if (isStale) return { kind: 'refused', why: 'stale' };
  if (token === undefined || !opensProject(token, project)) return { kind: 'refused', why: 'stranger' };
  return { kind: 'admitted', dropsCredential: true };
}

export function opensProject({ projects }: TokenAccess, project: string): boolean {
  return projects === '*' || projects.includes(project);
}
