import type { Wire } from '@dstack/core';
import type { CallOptions, Transport } from '../http/transport.js';

/** A sign-in that is confirmed on another machine. */
export interface DeviceSignIn {
  readonly id: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string | null;
  /** Seconds between two questions. */
  readonly interval: number;
  /** Seconds. */
  readonly expires_in: number;
}

/** Signing in with a provider. None of it takes a token. */
export class Auth {
  constructor(private readonly transport: Transport) {}

  providers(options: CallOptions = {}): Promise<Wire.OAuthProviderInfo[]> {
    return this.transport.json({ path: '/api/auth/list_providers', repeatable: 'read', ...options });
  }

  authorize(provider: string, request: Wire.OAuthAuthorizeRequest): Promise<Wire.OAuthAuthorizeResponse> {
    return this.post(provider, 'authorize', request);
  }

  callback(provider: string, request: Wire.OAuthCallbackRequest): Promise<Wire.UserWithCreds> {
    return this.post(provider, 'callback', request);
  }

  startDevice(provider: string): Promise<DeviceSignIn> {
    return this.post(provider, 'device', {});
  }

  /** `user` is null until somebody has confirmed. Ask no more often than `interval` says. */
  deviceResult(
    provider: string,
    id: string,
    options: CallOptions = {},
  ): Promise<{ user: Wire.UserWithCreds | null; interval: number }> {
    return this.post(provider, 'device/result', { id }, options);
  }

  private post<T>(provider: string, path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    const at = `/api/auth/${encodeURIComponent(provider)}/${path}`;
    return this.transport.json({ path: at, body, repeatable: 'write', ...options });
  }
}
