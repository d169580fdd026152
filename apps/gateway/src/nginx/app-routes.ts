/** nginx asks this program by a header that no client can set: it is always set anew. */
export const ROUTE_HEADER = 'X-Dstack-Route';
export const SERVICE_HEADER = 'X-Dstack-Service';
export const PROJECT_HEADER = 'X-Dstack-Project';
export const CLIENT_HEADER = 'X-Dstack-Client';
export const SCHEME_HEADER = 'X-Dstack-Scheme';
/** In answers to `access`: `1` when the credential was a dstack token, which has done its work. */
export const VERIFIED_HEADER = 'X-Dstack-Verified';
/** In answers to `access`: why not. */
export const REFUSED_HEADER = 'X-Dstack-Refused';

/** In answers to `access`, nginx's own: for how many seconds it keeps them. */
export const KEPT_HEADER = 'X-Accel-Expires';

export type AppRoute = 'access' | 'challenge' | 'models';

/** A header as a variable of nginx: `$prefix_x_dstack_route`. */
export function headerVariable(prefix: string, header: string): string {
  return `$${prefix}_${header.toLowerCase().replaceAll('-', '_')}`;
}
