import { Injectable } from '@nestjs/common';
import { type InternalBackendType, LIMITS, type OpenAttempt } from '@dstack/core';
import type { ComputeAccount } from '../offers/compute-accounts.js';
import type { InstanceRecord } from './instance-record.js';

/** Until the backend was asked for something since the server started: longer than the slowest takes. */
const UNKNOWN_PROVISIONING_MS = 60 * 60_000;

type Known = {
  readonly idempotency: OpenAttempt['idempotency'];
  readonly provisioningTimeoutMs: (instanceType: string) => number;
};

/** What is known of backends without opening them; filled as they are opened. A decision must not wait for a cloud. */
@Injectable()
export class InstanceLimits {
  private readonly known = new Map<string, Known>();
  maxOffersTried = 25;
  unreachableJobMs: number = LIMITS.unreachableJobMs;

  learn(type: InternalBackendType, facts: Known): void {
    this.known.set(type, facts);
  }

  /** `lookup` is right for every backend, only slower. */
  idempotencyOf(type: InternalBackendType | null): OpenAttempt['idempotency'] {
    return this.known.get(type ?? '')?.idempotency ?? 'lookup';
  }

  provisioningMs(instance: Pick<InstanceRecord, 'backendType' | 'offer'>): number {
    const instanceType = instance.offer?.instance.name ?? '';
    return this.known.get(instance.backendType ?? '')?.provisioningTimeoutMs(instanceType) ?? UNKNOWN_PROVISIONING_MS;
  }
}

/** Of a backend that has just been opened. */
export function learnFrom(limits: InstanceLimits, definition: ComputeAccount['definition']): void {
  const { type, idempotency, provisioningTimeoutMs } = definition;
  limits.learn(type, { idempotency: idempotency.kind, provisioningTimeoutMs });
}
