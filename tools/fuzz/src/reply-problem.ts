import { schemaProblem } from '@dstack/contract-tools';
import type { HttpReply } from './http-request.js';

/** What no reply may be; undefined when it is as the contract says. `id` is the operation's, undefined outside the contract. */
export function replyProblem(id: string | undefined, reply: HttpReply): string | undefined {
  const { status, text } = reply;
  const body = parsed(text);
  if (status >= 500 || status < 200) return `${status} ${text.slice(0, 300)}`;
  if (status === 200) return id === undefined ? undefined : schemaProblem(id, status, body);
  if (status < 400) return undefined;
  if (/\n\s+at .*:\d+:\d+/.test(text)) return `a stack trace: ${text.slice(0, 300)}`;
  return isEnvelope(status, body) ? undefined : `${status} without the envelope: ${text.slice(0, 300)}`;
}

const text = (value: unknown): boolean => typeof value === 'string' && value !== '';
const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

function isEnvelope(status: number, body: unknown): boolean {
  const detail = field(body, 'detail');
  const items: unknown[] = Array.isArray(detail) ? detail : [];
  const each = (holds: (item: unknown) => boolean): boolean => items.length > 0 && items.every(holds);
  switch (status) {
    case 400:
      return text(detail) || each((item) => text(field(item, 'msg')) && field(item, 'code') !== undefined);
    case 403:
      return (text(field(body, 'msg')) && field(body, 'code') === null) || text(field(detail, 'msg'));
    case 404:
      return text(detail) || text(field(detail, 'msg'));
    case 422:
      return each((item) => text(field(item, 'type')) && text(field(item, 'msg')) && Array.isArray(field(item, 'loc')));
    default:
      return text(detail) || each((item) => text(field(item, 'msg')));
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
