import type { Wire } from '@dstack/core';
import type { CallOptions, Transport } from '../http/transport.js';

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

  private read<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json({ path: `/api/users/${path}`, body, repeatable: 'read', ...options });
  }

  private write<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json({ path: `/api/users/${path}`, body, repeatable: 'write', ...options });
  }
}
