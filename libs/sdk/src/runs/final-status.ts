import type { Wire } from '@dstack/core';

export function isFinalRunStatus(status: Wire.RunStatus): boolean {
  return status === 'terminated' || status === 'failed' || status === 'done';
}

export function isFinalJobStatus(status: Wire.JobStatus): boolean {
  return status === 'terminated' || status === 'aborted' || status === 'failed' || status === 'done';
}
