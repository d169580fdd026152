import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { letsImportersIn, mayEnterProject } from '../auth/access-decision.js';
import { AuthService } from '../auth/auth.service.js';
import { bearerToken, sameToken } from '../auth/token.js';
import { ACCESS } from './access.decorator.js';
import { AccessError, InvalidRequestError } from './api-errors.js';
import { parseClientVersion, refuseNewerClient } from './client-version.js';
import { contractOperation, type AccessLevel } from './contract.js';
import { InvalidJson } from './json-body.js';
import { OPERATION, type OperationMetadata } from './operation.decorator.js';
import { requestContext } from './request-context.js';

const SERVICE_TOKENS = {
  service_account: 'DSTACK_SSHPROXY_API_TOKEN',
  optional_service_account: 'DSTACK_PROMETHEUS_AUTH_TOKEN',
} as const;

/** In the contract's order: version, JSON syntax, token, project, role. The body's shape comes after. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly auth: AuthService,
  ) {}

  async canActivate(host: ExecutionContext): Promise<boolean> {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const context = requestContext(request);
    if (request.url.startsWith('/api/')) {
      const version = parseClientVersion(header(request, 'x-api-version'));
      refuseNewerClient(version);
      if (version !== undefined) context.clientVersion = version;
    }
    this.refuseBrokenJson(host, request);
    const level = this.reflector.get<AccessLevel | undefined>(ACCESS, host.getHandler());
    if (level === undefined) throw new AccessError(403, 'Access denied');
    await this.enter(level, request);
    return true;
  }

  private refuseBrokenJson(host: ExecutionContext, request: FastifyRequest): void {
    const metadata = this.reflector.get<OperationMetadata | undefined>(OPERATION, host.getHandler());
    const readsBody = metadata === undefined || contractOperation(metadata.id).body !== undefined;
    const { body } = request;
    if (!readsBody || !(body instanceof InvalidJson)) return;
    const details = { error: body.reason };
    const input = {}; // the text itself may hold a secret
    throw new InvalidRequestError([
      { type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error', input, ctx: details },
    ]);
  }

  private async enter(level: AccessLevel, request: FastifyRequest): Promise<void> {
    if (level === 'none') return;
    if (level === 'service_account' || level === 'optional_service_account') {
      enterAsService(level, request);
      return;
    }
    const token = bearerToken(header(request, 'authorization'));
    if (token === undefined) throw new AccessError(401, 'Not authenticated');
    const projectName = (request.params as Record<string, string | undefined>)['project_name'];
    const context = requestContext(request);
    if (level === 'authenticated' || level === 'global_admin' || projectName === undefined) {
      const caller = await this.auth.authenticate(token);
      if (caller === undefined) throw new AccessError(403, 'Invalid token');
      if (level !== 'authenticated' && caller.globalRole !== 'admin') throw new AccessError(403, 'Access denied');
      context.caller = caller;
      return;
    }
    const { caller, scope } = await this.auth.enterProject(token, projectName);
    if (caller === undefined) throw new AccessError(403, 'Invalid token');
    if (scope === undefined) throw new AccessError(404, 'Not found');
    const mayEnter = mayEnterProject(level, scope) || (letsImportersIn(level) && (await this.auth.isImporter(scope)));
    if (!mayEnter) throw new AccessError(403, 'Access denied');
    context.caller = caller;
    context.scope = scope;
  }
}

function enterAsService(level: keyof typeof SERVICE_TOKENS, request: FastifyRequest): void {
  const expected = process.env[SERVICE_TOKENS[level]];
  if (expected === undefined || expected === '') {
    if (level === 'optional_service_account') return;
    throw new AccessError(403, 'Access denied');
  }
  const token = bearerToken(header(request, 'authorization'));
  if (token === undefined) throw new AccessError(401, 'Not authenticated');
  if (!sameToken(token, expected)) throw new AccessError(403, 'Invalid token');
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
