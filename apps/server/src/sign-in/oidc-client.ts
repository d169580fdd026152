import * as oidc from 'openid-client';
import { ClientError } from '../http/api-errors.js';
import type { OidcSettings } from '../settings/oidc-settings.js';
import type { Claims } from './person.js';
import { providerProblem } from './provider-problem.js';

/** What is kept between the two halves of a sign-in. */
export interface Handshake {
  readonly verifier: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

export interface DeviceStart {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | null;
  readonly intervalSeconds: number;
  readonly expiresInSeconds: number;
}

/** `pending`: the person has not confirmed yet; `slow`: and we asked too often. */
export type DeviceAnswer = { readonly state: 'pending' | 'slow' } | { readonly state: 'done'; readonly claims: Claims };

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** The conversation with the provider. Found out about when it is first needed, and again after a failure. */
export class OidcClient {
  private configuration: Promise<oidc.Configuration> | undefined;

  constructor(private readonly settings: OidcSettings) {}

  async authorizationUrl(state: string, redirectUri: string): Promise<{ url: string; handshake: Handshake }> {
    const config = await this.discovered();
    const handshake = { verifier: oidc.randomPKCECodeVerifier(), nonce: oidc.randomNonce(), redirectUri };
    const url = oidc.buildAuthorizationUrl(config, {
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: this.settings.scopes,
      code_challenge: await oidc.calculatePKCECodeChallenge(handshake.verifier),
      code_challenge_method: 'S256',
      state,
      nonce: handshake.nonce,
    });
    return { url: url.href, handshake };
  }

  /** @throws {ClientError} when the provider, or its answer, is not as it has to be */
  async redeem(code: string, state: string, handshake: Handshake): Promise<Claims> {
    const config = await this.discovered();
    const reply = new URL(handshake.redirectUri);
    reply.searchParams.set('code', code);
    reply.searchParams.set('state', state);
    // The contract's callback has no `iss`. The address is of this provider alone, which is what tells providers apart; the page there compares it.
    reply.searchParams.set('iss', config.serverMetadata().issuer);
    return this.told(config, () =>
      oidc.authorizationCodeGrant(config, reply, {
        pkceCodeVerifier: handshake.verifier,
        expectedState: state,
        expectedNonce: handshake.nonce,
        idTokenExpected: true,
      }),
    );
  }

  async startDevice(): Promise<DeviceStart> {
    const config = await this.discovered();
    if (config.serverMetadata().device_authorization_endpoint === undefined)
      throw new ClientError(`${this.settings.name} has no sign-in for devices. Sign in with a browser: dstack login`);
    const started = await this.attempt(() => oidc.initiateDeviceAuthorization(config, { scope: this.settings.scopes }));
    return {
      deviceCode: started.device_code,
      userCode: started.user_code,
      verificationUri: started.verification_uri,
      verificationUriComplete: started.verification_uri_complete ?? null,
      intervalSeconds: started.interval ?? 5,
      expiresInSeconds: started.expires_in,
    };
  }

  async askDevice(deviceCode: string): Promise<DeviceAnswer> {
    const config = await this.discovered();
    try {
      const tokens = await oidc.genericGrantRequest(config, DEVICE_GRANT, { device_code: deviceCode });
      return { state: 'done', claims: await this.claims(config, tokens) };
    } catch (error) {
      if (error instanceof oidc.ResponseBodyError && error.error === 'authorization_pending')
        return { state: 'pending' };
      if (error instanceof oidc.ResponseBodyError && error.error === 'slow_down') return { state: 'slow' };
      throw this.refusal(error);
    }
  }

  private told(config: oidc.Configuration, ask: () => Promise<Tokens>): Promise<Claims> {
    return this.attempt(async () => this.claims(config, await ask()));
  }

  /** Of the signed token, and what the provider adds when it is asked. */
  private async claims(config: oidc.Configuration, tokens: Tokens): Promise<Claims> {
    const signed = tokens.claims();
    if (signed === undefined) throw new ClientError(`${this.settings.name} sent no ID token`, 'invalid_credentials');
    if (config.serverMetadata().userinfo_endpoint === undefined) return signed;
    const more = await oidc.fetchUserInfo(config, tokens.access_token, signed.sub);
    return { ...more, ...signed };
  }

  private discovered(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    const url = new URL(issuer);
    const execute = [
      oidc.enableNonRepudiationChecks,
      ...(url.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
    ];
    const proof = clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret);
    this.configuration ??= oidc.discovery(url, clientId, undefined, proof, { execute, timeout: 10 }).catch((error: unknown) => {
      this.configuration = undefined;
      throw this.refusal(error);
    }); // prettier-ignore
    return this.configuration;
  }

  private async attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof ClientError ? error : this.refusal(error);
    }
  }

  private refusal(error: unknown): ClientError {
    return providerProblem(this.settings.name, error);
  }
}

type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;
