import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { adaptReply } from './adapt-reply.js';
import { InvalidRequestError } from './api-errors.js';
import { checkSchema } from './check-schema.js';
import { contractOperation, type ContractOperation, type JsonSchema } from './contract.js';
import { OPERATION, type OperationMetadata } from './operation.decorator.js';
import { requestContext } from './request-context.js';
import { JsonList } from './json-list.js';
import type { SchemaIssue } from './schema-issue.js';

/** Checks body and query before the handler; an operation without a result replies the JSON text `null`. */
@Injectable()
export class ContractInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const metadata = this.reflector.get<OperationMetadata | undefined>(OPERATION, host.getHandler());
    if (metadata === undefined) return next.handle();
    const operation = contractOperation(metadata.id);
    const issues: SchemaIssue[] = [];
    checkQuery(operation, request, issues);
    checkBody(operation, metadata, request, issues);
    if (issues.length > 0) throw new InvalidRequestError(issues);
    const { clientVersion } = requestContext(request);
    return next
      .handle()
      .pipe(map((result: unknown) => asJson(adaptReply(result, clientVersion), http.getResponse<FastifyReply>())));
  }
}

function asJson(result: unknown, reply: FastifyReply): unknown {
  const json = result instanceof JsonList ? result.bytes() : (result ?? null) === null ? 'null' : null;
  if (json === null) return result;
  if (!reply.sent) void reply.header('content-type', 'application/json; charset=utf-8');
  return json;
}

function checkBody(
  { body }: ContractOperation,
  { leave = [] }: OperationMetadata,
  request: FastifyRequest,
  issues: SchemaIssue[],
): void {
  if (body === undefined || body.mediaType !== 'application/json') return;
  const holder = request as { body: unknown };
  if (holder.body === undefined && body.required) {
    issues.push({ type: 'missing', loc: ['body'], msg: 'Field required', input: null });
    return;
  }
  const absent = (holder.body === undefined || holder.body === null) && !body.required;
  const result = checkSchema(absent ? withoutNull(body.schema) : body.schema, absent ? {} : holder.body, { leave });
  if ('issues' in result) for (const found of result.issues) issues.push(found);
  else holder.body = result.value;
}

/** A body that may be left out stands for all defaults. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const members = schema.anyOf?.filter((member) => member.type !== 'null');
  return members === undefined ? schema : { ...schema, anyOf: members };
}

function checkQuery({ query }: ContractOperation, request: FastifyRequest, issues: SchemaIssue[]): void {
  const values = request.query as Record<string, unknown>;
  for (const { name, required, schema } of query) {
    if (values[name] === undefined) {
      if (required) issues.push({ type: 'missing', loc: ['query', name], msg: 'Field required', input: null });
      else if (schema.default !== undefined) values[name] = schema.default;
      continue;
    }
    const result = checkSchema(schema, values[name]);
    if ('value' in result) values[name] = result.value;
    else issues.push(...result.issues.map((found) => ({ ...found, loc: ['query', name, ...found.loc.slice(1)] })));
  }
}
