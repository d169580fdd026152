import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller } from '../http/request-context.js';
import { PublicKeysService } from './public-keys.service.js';
import { UsersService } from './users.service.js';

@Controller()
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly publicKeys: PublicKeysService,
  ) {}

  @Operation('users_list')
  list(
    @CurrentCaller() caller: Caller,
    @Body() request: Wire.ListUsersRequest,
  ): Promise<Wire.User[] | Wire.UsersInfoList> {
    return this.users.list(caller, request);
  }

  @Operation('users_get_my_user')
  getMyUser(@CurrentCaller() caller: Caller): Promise<Wire.UserWithCreds> {
    return this.users.getWithCreds(caller, caller.name);
  }

  @Operation('users_get_user')
  getUser(@CurrentCaller() caller: Caller, @Body() request: Wire.GetUserRequest): Promise<Wire.UserWithCreds> {
    return this.users.getWithCreds(caller, request.username);
  }

  @Operation('users_create')
  create(@CurrentCaller() caller: Caller, @Body() request: Wire.CreateUserRequest): Promise<Wire.User> {
    return this.users.create(caller, request);
  }

  @Operation('users_update')
  update(@CurrentCaller() caller: Caller, @Body() request: Wire.CreateUserRequest): Promise<Wire.User> {
    return this.users.update(caller, request);
  }

  @Operation('users_refresh_ssh_key')
  refreshSshKey(
    @CurrentCaller() caller: Caller,
    @Body() request: Wire.RefreshTokenRequest,
  ): Promise<Wire.UserWithCreds> {
    return this.users.refreshSshKey(caller, request.username);
  }

  @Operation('users_refresh_token')
  refreshToken(
    @CurrentCaller() caller: Caller,
    @Body() request: Wire.RefreshTokenRequest,
  ): Promise<Wire.UserWithCreds> {
    return this.users.refreshToken(caller, request.username);
  }

  @Operation('users_delete')
  delete(@CurrentCaller() caller: Caller, @Body() request: Wire.DeleteUsersRequest): Promise<void> {
    return this.users.delete(caller, request.users);
  }

  @Operation('users_public_keys_list')
  listPublicKeys(@CurrentCaller() caller: Caller): Promise<Wire.PublicKeyInfo[]> {
    return this.publicKeys.list(caller);
  }

  @Operation('users_public_keys_add')
  addPublicKey(
    @CurrentCaller() caller: Caller,
    @Body() request: Wire.AddPublicKeyRequest,
  ): Promise<Wire.PublicKeyInfo> {
    return this.publicKeys.add(caller, request);
  }

  @Operation('users_public_keys_delete')
  deletePublicKeys(@CurrentCaller() caller: Caller, @Body() request: Wire.DeletePublicKeysRequest): Promise<void> {
    return this.publicKeys.delete(caller, request.ids);
  }
}
