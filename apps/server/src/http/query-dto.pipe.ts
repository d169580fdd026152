import { Injectable, type PipeTransform } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { InvalidRequestError } from './api-errors.js';

/**
 * Converts and checks the query of a route outside the contract. Unknown names are refused. The class, and what checks it, are loaded by the
 * first request: they are a tenth of all files of the server.
 */
@Injectable()
export class QueryDtoPipe<T extends object> implements PipeTransform<unknown, Promise<T>> {
  protected readonly part: 'query' | 'body' = 'query';

  constructor(private readonly load: () => Promise<new () => T>) {}

  async transform(query: unknown): Promise<T> {
    const [{ plainToInstance }, { validateSync }, type] = await Promise.all([
      import('class-transformer'),
      import('class-validator'),
      this.load(),
    ]);
    const dto = plainToInstance(type, query ?? {});
    const errors = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true });
    if (errors.length > 0) throw new InvalidRequestError(errors.map((error) => toIssue(error, this.part)));
    return dto;
  }
}

/** The same for a body of JSON. */
@Injectable()
export class BodyDtoPipe<T extends object> extends QueryDtoPipe<T> {
  protected override readonly part = 'body';

  override transform(body: unknown): Promise<T> {
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
    return super.transform(isObject ? body : {});
  }
}

function toIssue(
  error: ValidationError,
  part: string,
): { type: string; loc: (string | number)[]; msg: string; input: unknown } {
  const msg = Object.values(error.constraints ?? {}).join(', ') || 'invalid value';
  return { type: 'value_error', loc: [part, error.property], msg, input: error.value ?? null };
}
