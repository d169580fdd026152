import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export const CLIENT = { id: 'dstack', secret: 'the-client-secret' };

/** A real OIDC provider on loopback whose people are what the test says. */
export class IdentityProvider {
  readonly people = new Map<string, Record<string, unknown>>();

  private constructor(
    readonly issuer: string,
    private readonly http: Server,
  ) {}

  static async start(redirectUri: string): Promise<IdentityProvider> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const provider = new IdentityProvider(issuer, http);
    const device = 'urn:ietf:params:oauth:grant-type:device_code';
    const client = {
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', device],
      token_endpoint_auth_method: 'client_secret_post',
    };
    const oidc = new Provider(issuer, {
      clients: [client],
      features: { deviceFlow: { enabled: true } },
      pkce: { required: () => true },
      claims: {
        openid: ['sub'],
        profile: ['preferred_username', 'groups'],
        email: ['email', 'email_verified'],
      },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, ...provider.people.get(id) }),
      }),
    });
    http.on('request', oidc.callback());
    return provider;
  }

  close(): Promise<void> {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(() => resolve()));
  }
}

/** Somebody at a browser who logs in as `person` and agrees to everything. Returns where it is led outside the provider; null: nowhere. */
export async function browse(url: string, person: string): Promise<URL | null> {
  const cookies = new Map<string, string>();
  const home = new URL(url).origin;
  let next: { url: URL; form?: URLSearchParams } = { url: new URL(url) };
  for (let step = 0; step < 20; step += 1) {
    const reply = await fetch(next.url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(next.form === undefined ? {} : { method: 'POST', body: next.form }),
    });
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = reply.headers.get('location');
    const html = await reply.text();
    if (location !== null) {
      next = { url: new URL(location, next.url) };
      if (next.url.origin !== home) return next.url;
      continue;
    }
    const action = /<form[^>]* action="([^"]*)"/.exec(html)?.[1];
    if (action === undefined) return null;
    const form = new URLSearchParams({ login: person, password: 'x', confirm: 'yes' });
    for (const [input] of html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      const [name, value] = [/name="([^"]*)"/.exec(input)?.[1], /value="([^"]*)"/.exec(input)?.[1]];
      if (name !== undefined) form.set(name, value ?? '');
    }
    next = { url: new URL(action.replaceAll('&amp;', '&'), next.url), form };
  }
  throw new Error(`The provider does not come to an end at ${next.url.href}`);
}
