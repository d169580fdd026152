import type { IncomingMessage } from 'node:http';
import type { DesiredJobs, JobEndReason, LogStream, PowerOffOrder, StopRequest } from '@dstack/agent-protocol';

export class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

/** Environments and argv fit many times over; blobs have their own route. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;

export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_JSON_BYTES) throw new BadRequestError(`the body is over ${MAX_JSON_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new BadRequestError('the body is not JSON');
  }
}

export function parsePowerOff(value: unknown): PowerOffOrder {
  const { afterSeconds } = asRecord(value);
  const isTime = typeof afterSeconds === 'number' && Number.isFinite(afterSeconds) && afterSeconds > 0;
  if (afterSeconds !== null && !isTime) throw new BadRequestError('afterSeconds must be a positive number or null');
  return { afterSeconds: isTime ? afterSeconds : null };
}

export function parseDesired(value: unknown): DesiredJobs {
  const { jobIds } = asRecord(value);
  if (!Array.isArray(jobIds) || !jobIds.every((id) => typeof id === 'string')) {
    throw new BadRequestError('jobIds must be a list of strings');
  }
  return { jobIds };
}

const END_REASONS: Readonly<Record<JobEndReason, true>> = {
  done_by_runner: true,
  container_exited_with_error: true,
  ports_binding_failed: true,
  creating_container_error: true,
  executor_error: true,
  max_duration_exceeded: true,
  log_quota_exceeded: true,
  terminated_by_server: true,
  terminated_by_user: true,
  aborted_by_user: true,
};

function isEndReason(value: unknown): value is JobEndReason {
  return typeof value === 'string' && Object.hasOwn(END_REASONS, value);
}

export function parseStop(value: unknown): StopRequest {
  const { mode, graceSeconds, reason } = asRecord(value);
  if (mode !== 'graceful' && mode !== 'kill') throw new BadRequestError('mode must be "graceful" or "kill"');
  if (graceSeconds !== null && (typeof graceSeconds !== 'number' || graceSeconds < 0)) {
    throw new BadRequestError('graceSeconds must be a number of seconds or null');
  }
  if (!isEndReason(reason)) throw new BadRequestError('reason must be one of the contract');
  return { mode, graceSeconds, reason };
}

export function parseAck(value: unknown): { readonly stream: LogStream; readonly offset: number } {
  const { stream, offset } = asRecord(value);
  if (stream !== 'job' && stream !== 'runner') throw new BadRequestError('stream must be "job" or "runner"');
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) {
    throw new BadRequestError('offset must be a whole number');
  }
  return { stream, offset };
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new BadRequestError('the body must be a JSON object');
  return value as Record<string, unknown>;
}
