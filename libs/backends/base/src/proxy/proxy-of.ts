import { getProxyForUrl } from 'proxy-from-env';

/** This machine, and what tells a machine about itself: no proxy leads there, whatever the variables say. */
const ALWAYS_DIRECT =
  /^(localhost|127(\.\d+){3}|\[::1\]|169\.254(\.\d+){2}|\[fd00:ec2::254\]|metadata\.google\.internal)$/i;

/**
 * The proxy that requests to this URL go through, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (in either case);
 * null: none.
 */
export function proxyOf(url: URL): string | null {
  if (ALWAYS_DIRECT.test(url.hostname)) return null;
  return getProxyForUrl(url.href) || null;
}
