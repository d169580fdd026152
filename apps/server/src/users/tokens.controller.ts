import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { Access } from '../http/access.decorator.js';
import { DescribedAs } from '../http/described.js';
import { BodyDtoPipe } from '../http/query-dto.pipe.js';
import { CurrentCaller } from '../http/request-context.js';
import type { CreateServiceAccount, CreateToken, DeleteTokens, OfUser } from './tokens.dto.js';
import { type NewToken, type TokenInfo, TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

const dto = () => import('./tokens.dto.js');

/** Beyond the contract. */
@Controller('api')
export class TokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly users: UsersService,
  ) {}

  @Post('users/tokens/list')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Tokens beside the one of a user, without their values', 'Oldest first')
  list(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).OfUser)) { username }: OfUser,
  ): Promise<TokenInfo[]> {
    return this.tokens.list(caller, username);
  }

  @Post('users/tokens/create')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Another token of a user, which may expire', 'With its value, which is told this once')
  create(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).CreateToken)) request: CreateToken,
  ): Promise<NewToken> {
    return this.tokens.create(caller, request);
  }

  @Post('users/tokens/delete')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Take tokens back', 'They are refused from now on')
  delete(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).DeleteTokens)) { username, names }: DeleteTokens,
  ): Promise<void> {
    return this.tokens.delete(caller, username, names);
  }

  @Post('users/service_accounts/list')
  @HttpCode(200)
  @Access('authenticated')
  @DescribedAs('users', 'Service accounts; to those who are no global admins, those in their projects', 'Users')
  listServiceAccounts(@CurrentCaller() caller: Caller): Promise<Wire.User[]> {
    return this.users.serviceAccounts(caller);
  }

  @Post('users/service_accounts/create')
  @HttpCode(200)
  @Access('global_admin')
  @DescribedAs('users', 'A user that is a program: it has roles in projects and tokens, and cannot sign in', 'A user')
  createServiceAccount(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).CreateServiceAccount)) { username }: CreateServiceAccount,
  ): Promise<Wire.User> {
    return this.users.createServiceAccount(caller, username);
  }
}
