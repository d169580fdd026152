import { Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { InvalidRequestError } from './api-errors.js';

/** Converts and checks the query of a route outside the contract: `@Query(new QueryDtoPipe(LogStreamQuery))`. Unknown names are refused. */
@Injectable()
export class QueryDtoPipe<T extends object> implements PipeTransform<unknown, T> {
  constructor(private readonly type: new () => T) {}

  transform(query: unknown): T {
    const dto = plainToInstance(this.type, query ?? {});
    const errors = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true });
    if (errors.length > 0) throw new InvalidRequestError(errors.map(toIssue));
    return dto;
  }
}

function toIssue(error: ValidationError): { type: string; loc: (string | number)[]; msg: string; input: unknown } {
  const msg = Object.values(error.constraints ?? {}).join(', ') || 'invalid value';
  return { type: 'value_error', loc: ['query', error.property], msg, input: error.value ?? null };
}
