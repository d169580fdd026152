import { Controller, type Type } from '@nestjs/common';
import { NotBuiltError } from './api-errors.js';
import { CONTRACT_OPERATIONS, type OperationId } from './contract.js';
import { Operation, OPERATION, type OperationMetadata } from './operation.decorator.js';

/** Answers every operation of the contract that no other controller has, and that is not built elsewhere, after the same checks: 501 with the envelope. */
export function notBuiltController(built: readonly Type[], elsewhere: readonly OperationId[]): Type {
  const done = new Set([...built.flatMap(operationsOf), ...elsewhere]);
  class NotBuiltController {}
  Controller()(NotBuiltController);
  for (const { id } of CONTRACT_OPERATIONS) {
    if (done.has(id)) continue;
    const handler = function handle(): never {
      throw new NotBuiltError(`${id} is part of the API but not built in this server yet.`);
    };
    Object.defineProperty(NotBuiltController.prototype, id, { value: handler, writable: true, configurable: true });
    const descriptor = Object.getOwnPropertyDescriptor(NotBuiltController.prototype, id);
    if (descriptor !== undefined) Operation(id)(NotBuiltController.prototype, id, descriptor);
  }
  return NotBuiltController;
}

export function operationsOf(controller: Type): OperationId[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = name === 'constructor' ? undefined : prototype[name];
    if (typeof handler !== 'function') return [];
    const metadata = Reflect.getMetadata(OPERATION, handler) as OperationMetadata | undefined;
    return metadata === undefined ? [] : [metadata.id];
  });
}
