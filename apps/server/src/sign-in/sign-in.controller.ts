import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { FastifyReply } from 'fastify';
import { Access } from '../http/access.decorator.js';
import { ClientError } from '../http/api-errors.js';
import { Operation } from '../http/operation.decorator.js';
import { escapeHtml, page } from '../server-info/page.js';
import { type DeviceReply, type DeviceSignIn, SignInService } from './sign-in.service.js';

interface DeviceQuestion {
  readonly id?: unknown;
}

@Controller()
export class SignInController {
  constructor(private readonly signIn: SignInService) {}

  @Operation('auth_list_providers')
  listProviders(): Wire.OAuthProviderInfo[] {
    return this.signIn.providers();
  }

  @Operation('auth_authorize')
  authorize(
    @Param('provider') provider: string,
    @Body() request: Wire.OAuthAuthorizeRequest,
  ): Promise<Wire.OAuthAuthorizeResponse> {
    return this.signIn.authorize(provider, request);
  }

  @Operation('auth_get_next_redirect')
  async nextRedirect(@Body() request: Wire.OAuthGetNextRedirectRequest): Promise<Wire.OAuthGetNextRedirectResponse> {
    const next = await this.signIn.nextStop(request.state);
    return {
      redirect_url: next === null ? null : localUrl(next.localPort, { code: request.code, state: request.state }),
    };
  }

  @Operation('auth_callback')
  callback(
    @Param('provider') provider: string,
    @Body() request: Wire.OAuthCallbackRequest,
  ): Promise<Wire.UserWithCreds> {
    return this.signIn.callback(provider, request);
  }

  /** Beyond the contract: for machines without a browser. */
  @Post('api/auth/:provider/device')
  @HttpCode(200)
  @Access('none')
  startDevice(@Param('provider') provider: string): Promise<DeviceSignIn> {
    return this.signIn.startDevice(provider);
  }

  @Post('api/auth/:provider/device/result')
  @HttpCode(200)
  @Access('none')
  askDevice(@Param('provider') provider: string, @Body() { id }: DeviceQuestion): Promise<DeviceReply> {
    if (typeof id !== 'string') throw new ClientError('Pass the id of the sign-in');
    return this.signIn.askDevice(provider, id);
  }

  /** Where the provider sends the browser. */
  @Get('auth/:provider/callback')
  @Access('none')
  async arrive(
    @Param('provider') provider: string,
    @Query() query: Readonly<Record<string, unknown>>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { code, state, error, iss } = query;
    void reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
    const refusal = typeof error === 'string' ? `The provider says: ${error}` : null;
    const answer: Readonly<Record<string, string>> | null =
      typeof error === 'string' ? { error } : typeof code === 'string' ? { code } : null;
    if (answer === null || typeof state !== 'string')
      return show(reply, 400, 'Sign-in failed', refusal ?? 'The provider sent no code.');
    if (typeof iss === 'string' && !this.signIn.isIssuer(provider, iss))
      return show(reply, 400, 'Sign-in failed', 'This answer is of another provider.');
    const next = await this.signIn.nextStop(state).catch((problem: unknown) => {
      if (problem instanceof ClientError) return problem;
      throw problem;
    });
    if (next instanceof ClientError) return show(reply, 400, 'Sign-in failed', next.message);
    if (next === null && refusal !== null) return show(reply, 400, 'Sign-in failed', refusal);
    if (next === null) return show(reply, 200, 'Almost there', 'Go back to the program that you signed in from.');
    await reply.redirect(localUrl(next.localPort, { ...answer, state }), 302);
  }
}

/** On the person's own machine, by number: a name could lead elsewhere. */
function localUrl(port: number, answer: Readonly<Record<string, string>>): string {
  return `http://127.0.0.1:${port}/?${new URLSearchParams(answer).toString()}`;
}

async function show(reply: FastifyReply, status: number, title: string, text: string): Promise<void> {
  await reply
    .status(status)
    .type('text/html; charset=utf-8')
    .send(page(title, [escapeHtml(text)]));
}
