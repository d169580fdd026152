import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { Access } from '../http/access.decorator.js';
import { BodyDtoPipe } from '../http/query-dto.pipe.js';
import { CurrentCaller } from '../http/request-context.js';
import type { CreateServiceAccount, CreateToken, DeleteTokens, OfUser } from './tokens.dto.js';
import { type NewToken, type TokenInfo, TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

const dto = () => import('./tokens.dto.js');

/** Beyond the contract. */
@Controller('api')
@ApiTags('users')
export class TokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly users: UsersService,
  ) {}

  @Post('users/tokens/list')
  @HttpCode(200)
  @Access('authenticated')
  @ApiOperation({ summary: 'Tokens beside the one of a user, without their values' })
  @ApiOkResponse({ description: 'Oldest first' })
  list(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).OfUser)) { username }: OfUser,
  ): Promise<TokenInfo[]> {
    return this.tokens.list(caller, username);
  }

  @Post('users/tokens/create')
  @HttpCode(200)
  @Access('authenticated')
  @ApiOperation({ summary: 'Another token of a user, which may expire' })
  @ApiOkResponse({ description: 'With its value, which is told this once' })
  create(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).CreateToken)) request: CreateToken,
  ): Promise<NewToken> {
    return this.tokens.create(caller, request);
  }

  @Post('users/tokens/delete')
  @HttpCode(200)
  @Access('authenticated')
  @ApiOperation({ summary: 'Take tokens back' })
  @ApiOkResponse({ description: 'They are refused from now on' })
  delete(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).DeleteTokens)) { username, names }: DeleteTokens,
  ): Promise<void> {
    return this.tokens.delete(caller, username, names);
  }

  @Post('users/service_accounts/list')
  @HttpCode(200)
  @Access('authenticated')
  @ApiOperation({ summary: 'Service accounts; to those who are no global admins, those in their projects' })
  @ApiOkResponse({ description: 'Users' })
  listServiceAccounts(@CurrentCaller() caller: Caller): Promise<Wire.User[]> {
    return this.users.serviceAccounts(caller);
  }

  @Post('users/service_accounts/create')
  @HttpCode(200)
  @Access('global_admin')
  @ApiOperation({ summary: 'A user that is a program: it has roles in projects and tokens, and cannot sign in' })
  @ApiOkResponse({ description: 'A user' })
  createServiceAccount(
    @CurrentCaller() caller: Caller,
    @Body(new BodyDtoPipe(async () => (await dto()).CreateServiceAccount)) { username }: CreateServiceAccount,
  ): Promise<Wire.User> {
    return this.users.createServiceAccount(caller, username);
  }
}
