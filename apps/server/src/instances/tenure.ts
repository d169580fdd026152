import type { Tenure } from '@dstack/core';
import type { InstanceRecord } from './instance-record.js';

/** Whose machine it is. */
export function tenureOf({ hostName, backendType }: Pick<InstanceRecord, 'hostName' | 'backendType'>): Tenure {
  if (hostName !== null) return 'given';
  return backendType === 'local' ? 'local' : 'rented';
}
