import { applyDecorators, HttpCode, RequestMapping, RequestMethod, SetMetadata } from '@nestjs/common';
import type { ApiBody } from '@nestjs/swagger';
import { Access } from './access.decorator.js';
import { Described } from './described.js';
import { contractOperation, type ContractOperation, type JsonSchema, type OperationId } from './contract.js';

export const OPERATION = 'dstack:operation';

export interface OperationOptions {
  /** Dotted paths of the body that the handler parses itself, e.g. a configuration with its shorthands. */
  readonly leave?: readonly string[];
}

export interface OperationMetadata extends OperationOptions {
  readonly id: OperationId;
}

/**
 * Makes a method the handler of an operation of the contract: its route, who may call it, the check of its body and query
 * (so `@Body()` arrives converted and with defaults), and its place in the OpenAPI document.
 */
export function Operation(id: OperationId, options: OperationOptions = {}): MethodDecorator {
  const operation = contractOperation(id);
  return applyDecorators(
    RequestMapping({ path: routePath(operation), method: RequestMethod[operation.method] }),
    HttpCode(200),
    Access(operation.access),
    SetMetadata(OPERATION, { ...options, id } satisfies OperationMetadata),
    Described((swagger) => [
      swagger.ApiTags(operation.tag),
      swagger.ApiOperation({ operationId: id, ...({ 'x-auth': operation.access } as object) }),
      swagger.ApiProduces(operation.replyMediaType),
      swagger.ApiOkResponse({ schema: forSwagger(operation.reply) }),
      ...describeInput(swagger, operation),
    ]),
  );
}

/** Nest and Fastify write `:name` for `{name}`; a path that swallows the rest is a wildcard. */
export function routePath({ path }: ContractOperation): string {
  return path.replace('/{path}', '/*').replace(/\{(\w+)\}/g, ':$1');
}

function describeInput(
  { ApiBody, ApiConsumes, ApiQuery }: typeof import('@nestjs/swagger'),
  { body, query }: ContractOperation,
): MethodDecorator[] {
  const queries = query.map(({ name, required, schema }) => ApiQuery({ name, required, schema: forSwagger(schema) }));
  if (body === undefined) return queries;
  const described = ApiBody({ schema: forSwagger(body.schema), required: body.required });
  return [...queries, ApiConsumes(body.mediaType), described];
}

type SwaggerSchema = NonNullable<Extract<Parameters<typeof ApiBody>[0], { schema: object }>['schema']>;

function forSwagger(schema: JsonSchema): SwaggerSchema {
  return schema as SwaggerSchema; // the same language, typed twice
}
