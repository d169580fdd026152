import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller, ProjectScope } from '../auth/caller.js';
import type { ClientVersion } from './client-version.js';

/** What the access guard found out, for the handler. */
export interface RequestContext {
  caller?: Caller;
  scope?: ProjectScope;
  clientVersion?: ClientVersion;
}

const contexts = new WeakMap<object, RequestContext>();

export function requestContext(request: FastifyRequest): RequestContext {
  let context = contexts.get(request.raw);
  if (context === undefined) {
    context = {};
    contexts.set(request.raw, context);
  }
  return context;
}

function fromContext<T>(pick: (context: RequestContext) => T | undefined, what: string): () => ParameterDecorator {
  return createParamDecorator((_: unknown, host: ExecutionContext): T => {
    const found = pick(requestContext(host.switchToHttp().getRequest<FastifyRequest>()));
    if (found === undefined) throw new Error(`This operation's access level gives no ${what}.`);
    return found;
  });
}

/** The authenticated user: `@CurrentCaller() caller: Caller`. */
export const CurrentCaller = fromContext((context) => context.caller, 'caller');

/** The project of the path, with the caller's role: `@CurrentProject() scope: ProjectScope`. */
export const CurrentProject = fromContext((context) => context.scope, 'project');

/** The caller's API version; undefined for the newest. */
export const CurrentClientVersion = createParamDecorator((_: unknown, host: ExecutionContext) => {
  return requestContext(host.switchToHttp().getRequest<FastifyRequest>()).clientVersion;
});
