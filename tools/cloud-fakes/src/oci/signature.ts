import { createHash, type KeyObject, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface OciAccount {
  readonly tenancy: string;
  readonly user: string;
  readonly fingerprint: string;
  readonly publicKey: KeyObject;
}

const LATE_MS = 5 * 60_000;
const ALWAYS = ['(request-target)', 'host'];
const WITH_BODY = ['content-type', 'content-length', 'x-content-sha256'];

/** Why a request is not the account's; null: it is. Checked as Oracle documents it, with the account's own key. */
export function whyNotSigned(request: IncomingMessage, body: string, account: OciAccount): string | null {
  const { headers, method = '', url = '' } = request;
  const given = Object.fromEntries(
    [...(headers.authorization ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  ) as Readonly<Record<string, string | undefined>>;
  if (
    !headers.authorization?.startsWith('Signature ') ||
    given['version'] !== '1' ||
    given['algorithm'] !== 'rsa-sha256'
  )
    return 'no signature of version 1 with rsa-sha256';
  if (given['keyId'] !== `${account.tenancy}/${account.user}/${account.fingerprint}`) return `no key ${given['keyId']}`;
  const names = (given['headers'] ?? '').split(' ');
  const needed = [...ALWAYS, ...(method === 'POST' || method === 'PUT' ? WITH_BODY : [])];
  const missing = needed.find((name) => !names.includes(name));
  if (missing !== undefined) return `${missing} is not signed`;
  const date = headers['x-date'] ?? headers.date;
  if (!names.includes(headers['x-date'] === undefined ? 'date' : 'x-date')) return 'the date is not signed';
  if (Math.abs(Date.now() - Date.parse(String(date))) > LATE_MS) return 'the date is too far from now';
  const digest = createHash('sha256').update(body).digest('base64');
  if (needed.includes('x-content-sha256') && headers['x-content-sha256'] !== digest) return 'the body is another';
  const lines = names.map((name) => {
    const value = name === '(request-target)' ? `${method.toLowerCase()} ${url}` : String(headers[name]);
    return `${name}: ${value}`;
  });
  const signature = Buffer.from(given['signature'] ?? '', 'base64');
  return verify('sha256', Buffer.from(lines.join('\n')), account.publicKey, signature)
    ? null
    : 'the signature is wrong';
}
