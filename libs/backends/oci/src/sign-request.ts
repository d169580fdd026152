import { createHash, sign } from 'node:crypto';
import type { ApiKey } from './api-key.js';

export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  /** As it is sent; null: none. */
  readonly body: string | null;
}

/** The headers that say who sends exactly this request now: Oracle's own draft of HTTP signatures, version 1. */
export function signedHeaders(
  { method, url, body }: UnsignedRequest,
  who: Omit<ApiKey, 'region'>,
  now: number,
): Record<string, string> {
  const given: Record<string, string> = {
    'x-date': new Date(now).toUTCString(),
    host: url.host,
    ...(body === null
      ? {}
      : {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          'x-content-sha256': createHash('sha256').update(body).digest('base64'),
        }),
  };
  const names = ['x-date', '(request-target)', 'host', ...Object.keys(given).slice(2)];
  const target = `${method.toLowerCase()} ${url.pathname}${url.search}`;
  const text = names.map((name) => `${name}: ${name === '(request-target)' ? target : given[name]}`).join('\n');
  const signature = sign('sha256', Buffer.from(text), who.key).toString('base64');
  const keyId = `${who.tenancy}/${who.user}/${who.fingerprint}`;
  const authorization = `Signature version="1",keyId="${keyId}",algorithm="rsa-sha256",headers="${names.join(' ')}",signature="${signature}"`;
  return { ...given, authorization };
}
