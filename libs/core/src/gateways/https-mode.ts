import type * as Wire from '../wire/generated/api.js';

export type CertificateKind = 'lets-encrypt' | 'acm' | null;

/** Who ends TLS for a service behind a gateway, and so what its address begins with. */
export type HttpsMode =
  /** The gateway itself, with a certificate it gets for the host name. */
  | { readonly ok: true; readonly scheme: 'https'; readonly tls: 'gateway' }
  /** The load balancer before it; what reaches the gateway is plain. */
  | { readonly ok: true; readonly scheme: 'https'; readonly tls: 'balancer' }
  | { readonly ok: true; readonly scheme: 'http'; readonly tls: null }
  | { readonly ok: false; readonly problem: string };

const PLAIN: HttpsMode = { ok: true, scheme: 'http', tls: null };

/** What `https` of a service means at a gateway with this certificate. Unset is true. */
export function httpsMode(https: Wire.ServiceConfiguration['https'], certificate: CertificateKind): HttpsMode {
  const wish = https ?? true;
  if (certificate === 'acm') {
    if (wish !== false) return { ok: true, scheme: 'https', tls: 'balancer' };
    return {
      ok: false,
      problem: 'The load balancer of the gateway sends HTTP to HTTPS: remove `https: false`, or use `auto`',
    };
  }
  if (wish === false) return PLAIN;
  if (certificate === 'lets-encrypt') return { ok: true, scheme: 'https', tls: 'gateway' };
  if (wish === 'auto') return PLAIN;
  return {
    ok: false,
    problem: 'The gateway has no certificate: set `https: false` (or `auto`), or choose a gateway with one',
  };
}
