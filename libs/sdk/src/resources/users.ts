import type { NewToken, TokenInfo, Wire } from '@dstack/core';
import type { CallOptions, Transport } from '../http/transport.js';

export interface TokenRequest {
  readonly name: string;
  /** The caller when absent; others for global admins only. */
  readonly username?: string | undefined;
  /** Seconds from now; for ever when absent. */
  readonly expires_in?: number | undefined;
}

export class Users {
  constructor(private readonly transport: Transport) {}

  /** The owner of the token, with credentials and the SSH key pair the server keeps for them. */
  me(options?: CallOptions): Promise<Wire.UserWithCreds> {
    return this.read('get_my_user', undefined, options);
  }

  list(options?: CallOptions): Promise<Wire.User[]> {
    return this.read('list', undefined, options);
  }

  get(username: string, options?: CallOptions): Promise<Wire.UserWithCreds> {
    return this.read('get_user', { username } satisfies Wire.GetUserRequest, options);
  }

  create(user: Wire.CreateUserRequest, options?: CallOptions): Promise<Wire.User> {
    return this.write('create', user, options);
  }

  update(user: Wire.CreateUserRequest, options?: CallOptions): Promise<Wire.User> {
    return this.write('update', user, options);
  }

  refreshToken(username: string, options?: CallOptions): Promise<Wire.UserWithCreds> {
    return this.write('refresh_token', { username } satisfies Wire.RefreshTokenRequest, options);
  }

  refreshSshKey(username: string, options?: CallOptions): Promise<Wire.UserWithCreds> {
    return this.write('refresh_ssh_key', { username } satisfies Wire.RefreshTokenRequest, options);
  }

  async delete(usernames: readonly string[], options?: CallOptions): Promise<void> {
    await this.write('delete', { users: [...usernames] } satisfies Wire.DeleteUsersRequest, options);
  }

  publicKeys(options?: CallOptions): Promise<Wire.PublicKeyInfo[]> {
    return this.read('public_keys/list', undefined, options);
  }

  addPublicKey(key: Wire.AddPublicKeyRequest, options?: CallOptions): Promise<Wire.PublicKeyInfo> {
    return this.write('public_keys/add', key, options);
  }

  async deletePublicKeys(ids: readonly string[], options?: CallOptions): Promise<void> {
    await this.write('public_keys/delete', { ids: [...ids] } satisfies Wire.DeletePublicKeysRequest, options);
  }

  /** Tokens beside the one of the user, without their values. */
  tokens(username?: string, options?: CallOptions): Promise<TokenInfo[]> {
    return this.read('tokens/list', { username }, options);
  }

  createToken(request: TokenRequest, options?: CallOptions): Promise<NewToken> {
    return this.write('tokens/create', request, options);
  }

  async deleteTokens(names: readonly string[], username?: string, options?: CallOptions): Promise<void> {
    await this.write('tokens/delete', { names: [...names], username }, options);
  }

  /** Users that are programs: they have tokens and roles in projects, and cannot sign in. */
  serviceAccounts(options?: CallOptions): Promise<Wire.User[]> {
    return this.read('service_accounts/list', {}, options);
  }

  createServiceAccount(username: string, options?: CallOptions): Promise<Wire.User> {
    return this.write('service_accounts/create', { username }, options);
  }

  private read<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json({ path: `/api/users/${path}`, body, repeatable: 'read', ...options });
  }

  private write<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json({ path: `/api/users/${path}`, body, repeatable: 'write', ...options });
  }
}
