import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import type { NewToken, TokenInfo, Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { Access } from '../http/access.decorator.js';
import { DescribedAs } from '../http/described.js';
import { BodyDtoPipe } from '../http/query-dto.pipe.js';
import { CurrentCaller } from '../http/request-context.js';
import type { CreateServiceAccount, CreateToken, DeleteTokens, OfUser } from './tokens.dto.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

async function ofUser() {
  return (await import('./tokens.dto.js')).OfUser;
}

async function createToken() {
  return (await import('./tokens.dto.js')).CreateToken;
}

async function deleteTokens() {
  return (await import('./tokens.dto.js')).DeleteTokens;
}

async function createServiceAccount() {
  return (await import('./tokens.dto.js')).CreateServiceAccount;
}

/** Not of the contract: tokens that can end by themselves, and users that are programs. */
@Controller()
export class TokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly users: UsersService,
  ) {}

  @Post('api/users/tokens/list')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Tokens beside the one of a user, without their values', 'Oldest first')
  list(@CurrentCaller() caller: Caller, @Body(new BodyDtoPipe(ofUser)) { username }: OfUser): Promise<TokenInfo[]> {
    return this.tokens.list(caller, username);
  }

  @Post('api/users/tokens/create')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Another token of a user, which may expire', 'With its value, which is told this once')
  create(@CurrentCaller() caller: Caller, @Body(new BodyDtoPipe(createToken)) request: CreateToken): Promise<NewToken> {
    return this.tokens.create(caller, request);
  }

  @Post('api/users/tokens/delete')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Take tokens back', 'They are refused from now on')
  delete(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(deleteTokens)) { username, names }: DeleteTokens,
  ): Promise<void> {
    return this.tokens.delete(caller, username, names);
  }

  @Post('api/users/service_accounts/list')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Service accounts; to those who are no global admins, those in their projects', 'Users')
  listServiceAccounts(@CurrentCaller() caller: Caller): Promise<Wire.User[]> {
    return this.users.serviceAccounts(caller);
  }

  @Post('api/users/service_accounts/create')
  @HttpCode(200)
  @Access('global_admin')
  @DescribedAs('users', 'A user that is a program: it has roles in projects and tokens, and cannot sign in', 'A user')
  createServiceAccount(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(createServiceAccount)) { username }: CreateServiceAccount,
  ): Promise<Wire.User> {
    return this.users.createServiceAccount(caller, username);
  }
}
