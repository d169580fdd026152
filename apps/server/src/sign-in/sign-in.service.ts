import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { ClientError, ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import type { OidcSettings } from '../settings/oidc-settings.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { UsersService } from '../users/users.service.js';
import { WORLD, type World } from '../world/world.js';
import { BegunSignIns } from './begun-sign-ins.js';
import type { Handshake, OidcClient } from './oidc-client.js';
import { type Claims, personOf } from './person.js';
import { SignedInUser } from './signed-in-user.js';

const LIFETIME_MS = 10 * 60_000;
const SLOWER_MS = 5_000;

export interface DeviceSignIn {
  /** What the device asks with; whoever holds it gets the credentials. */
  readonly id: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string | null;
  readonly interval: number;
  readonly expires_in: number;
}

/** `user` is null until the person has confirmed. */
export interface DeviceReply {
  readonly user: Wire.UserWithCreds | null;
  readonly interval: number;
}

interface KeptDevice {
  readonly deviceCode: string;
  readonly intervalMs: number;
}

/** Where the person's browser goes on after the provider. */
export type NextStop = { readonly localPort: number } | null;

@Injectable()
export class SignInService {
  private client: Promise<OidcClient> | undefined;
  private readonly oidc: OidcSettings | undefined;

  constructor(
    private readonly db: Database,
    private readonly begun: BegunSignIns,
    private readonly signedIn: SignedInUser,
    private readonly users: UsersService,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
    @Inject(WORLD) private readonly world: World,
  ) {
    this.oidc = settings.oidc;
  }

  providers(): Wire.OAuthProviderInfo[] {
    return this.oidc === undefined ? [] : [{ name: this.oidc.name, enabled: true }];
  }

  async authorize(provider: string, request: Wire.OAuthAuthorizeRequest): Promise<Wire.OAuthAuthorizeResponse> {
    const client = await this.clientOf(provider);
    const base = this.ownAddress(request.base_url ?? null);
    const state = this.secret();
    const { url, handshake } = await client.authorizationUrl(state, `${base}/auth/${provider}/callback`);
    await this.db.write((tx) =>
      this.begun.begin(tx, state, {
        provider,
        localPort: request.local_port ?? null,
        kept: handshake,
        lifetimeMs: LIFETIME_MS,
      }),
    );
    return { authorization_url: url };
  }

  /** Whether an answer that names its provider is of this one. */
  isIssuer(provider: string, issuer: string): boolean {
    return this.oidc?.name === provider && this.oidc.issuer.replace(/\/$/, '') === issuer.replace(/\/$/, '');
  }

  /** To the command line on the person's own machine, or nowhere else. */
  async nextStop(state: string): Promise<NextStop> {
    const { localPort } = await this.db.read((tx) => this.begun.look(tx, state));
    return localPort === null ? null : { localPort };
  }

  async callback(provider: string, { code, state }: Wire.OAuthCallbackRequest): Promise<Wire.UserWithCreds> {
    const client = await this.clientOf(provider);
    const { kept, provider: begunWith } = await this.db.write((tx) => this.begun.use<Handshake>(tx, state));
    if (begunWith !== provider) throw new ClientError('This sign-in was begun with another provider');
    return this.enter(await client.redeem(code, state, kept));
  }

  async startDevice(provider: string): Promise<DeviceSignIn> {
    const started = await (await this.clientOf(provider)).startDevice();
    const id = this.secret();
    const kept: KeptDevice = { deviceCode: started.deviceCode, intervalMs: started.intervalSeconds * 1000 };
    const lifetimeMs = Math.min(started.expiresInSeconds * 1000, 3 * LIFETIME_MS);
    await this.db.write((tx) => this.begun.begin(tx, id, { provider, localPort: null, kept, lifetimeMs }));
    return {
      id,
      user_code: started.userCode,
      verification_uri: started.verificationUri,
      verification_uri_complete: started.verificationUriComplete,
      interval: started.intervalSeconds,
      expires_in: lifetimeMs / 1000,
    };
  }

  /** However often a device asks, the provider is asked as often as it likes. */
  async askDevice(provider: string, id: string): Promise<DeviceReply> {
    const client = await this.clientOf(provider);
    const now = this.world.clock.now();
    const { kept, isEarly } = await this.db.write(async (tx) => {
      const { nextPollAt, provider: begunWith } = await this.begun.look(tx, id);
      if (begunWith !== provider) throw new ClientError('This sign-in was begun with another provider');
      const device = await this.begun.kept<KeptDevice>(tx, id);
      if (now < nextPollAt) return { kept: device, isEarly: true };
      await this.begun.pollNext(tx, id, now + device.intervalMs);
      return { kept: device, isEarly: false };
    });
    const interval = kept.intervalMs / 1000;
    if (isEarly) return { user: null, interval };
    const answer = await client.askDevice(kept.deviceCode);
    if (answer.state === 'slow')
      await this.db.write((tx) => this.begun.pollNext(tx, id, now + kept.intervalMs + SLOWER_MS));
    if (answer.state !== 'done') return { user: null, interval };
    await this.db.write((tx) => this.begun.use(tx, id));
    return { user: await this.enter(answer.claims), interval };
  }

  private enter(claims: Claims): Promise<Wire.UserWithCreds> {
    const { oidc } = this;
    if (oidc === undefined) throw new Error('Nobody signs in without a provider.');
    return this.db.write(async (tx) => {
      const user = await this.signedIn.enter(tx, oidc, personOf(claims, oidc));
      return this.users.withCreds(tx, user.name);
    });
  }

  /** What speaks to providers is loaded by the first sign-in. */
  private clientOf(provider: string): Promise<OidcClient> {
    const { oidc } = this;
    if (oidc?.name !== provider)
      throw new ResourceNotExistsError('There is no such sign-in provider. See what is: dstack login');
    return (this.client ??= import('./oidc-client.js').then((loaded) => new loaded.OidcClient(oidc)));
  }

  /** The code of a person is sent where the server is, and nowhere else. */
  private ownAddress(baseUrl: string | null): string {
    const own = this.settings.url;
    if (baseUrl === null || baseUrl.replace(/\/+$/, '') === own) return own;
    throw new ClientError(
      `base_url has to be the address of this server, ${own}. Set DSTACK_SERVER_URL if it is another`,
    );
  }

  private secret(): string {
    return Buffer.from(this.world.random.bytes(32)).toString('base64url');
  }
}
