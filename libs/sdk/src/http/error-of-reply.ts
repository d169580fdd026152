import { ApiError, type DstackErrorKind } from '../errors.js';

export interface RefusedReply {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
  readonly requestId: string | undefined;
}

/** What a refusal means (the server's error envelopes, which differ by status). Pure. */
export function errorOfReply(reply: RefusedReply): ApiError {
  const { status } = reply;
  const items = detailItems(reply.body);
  const code = items.map((item) => item.code).find((each) => each !== undefined);
  const told = items.map((item) => withField(item)).filter((text) => text !== '');
  const message = told.length > 0 ? told.join('\n') : `The server answered ${status} to ${reply.method} ${reply.path}.`;
  const details = {
    method: reply.method,
    path: reply.path,
    status,
    code,
    issues: items.filter((item) => item.fields.length > 0).map((item) => ({ path: item.fields, message: item.msg })),
    requestId: reply.requestId,
  };
  return new ApiError(kindOf(status, code, message), message, details, hintOf(status, message, reply.requestId));
}

interface DetailItem {
  readonly msg: string;
  readonly code: string | undefined;
  readonly fields: readonly string[];
}

function detailItems(body: unknown): DetailItem[] {
  if (typeof body === 'string') return body === '' ? [] : [{ msg: body.slice(0, 500), code: undefined, fields: [] }];
  if (!isRecord(body)) return [];
  const detail = 'detail' in body ? body['detail'] : body;
  const list: unknown[] = Array.isArray(detail) ? detail : [detail];
  return list.map((item) => {
    if (typeof item === 'string') return { msg: item, code: undefined, fields: [] };
    if (!isRecord(item)) return { msg: '', code: undefined, fields: [] };
    const place = item['fields'] ?? item['loc'];
    return {
      msg: typeof item['msg'] === 'string' ? item['msg'] : '',
      code: typeof item['code'] === 'string' ? item['code'] : undefined,
      fields: Array.isArray(place) ? place.map(String).filter((part) => part !== 'body') : [],
    };
  });
}

function withField(item: DetailItem): string {
  return item.fields.length > 0 && !item.msg.includes(item.fields.join('.'))
    ? `${item.fields.join('.')}: ${item.msg}`
    : item.msg;
}

function kindOf(status: number, code: string | undefined, message: string): DstackErrorKind {
  if (status === 401 || (status === 403 && message === 'Invalid token')) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404 || code === 'resource_not_exists' || code === 'repo_does_not_exist') return 'not-found';
  if (code === 'resource_exists') return 'conflict';
  if (status === 501 || status === 405) return 'unsupported';
  return status >= 500 ? 'server' : 'invalid';
}

function hintOf(status: number, message: string, requestId: string | undefined): string | undefined {
  if (status === 401 || (status === 403 && message === 'Invalid token'))
    return 'Ensure the token is valid: dstack project add --name NAME --url URL --token TOKEN';
  if (status === 403) return 'Ask an admin of the project for the role you need.';
  if (status === 404) return 'Check the project name (dstack project list -v) and the version of the server.';
  if (status === 501) return 'This server does not offer that yet; see docs/migration.md.';
  if (status >= 500)
    return `Look into the log of the server${requestId === undefined ? '' : ` for request ${requestId}`}, then try again.`;
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
