import type { IncomingMessage } from 'node:http';
import { requestHeaders } from '@dstack/proxy';
import type { ServerSettings } from '../../settings/settings.js';
import { clientAddress, isTrustedProxy } from './client-address.js';

/** The request's headers as a replica gets them; `prefix` was cut off its path. The dstack token has done its work here: no replica sees it. */
export function forwardedHeaders(
  request: IncomingMessage,
  { url, forwardedAllowIps }: Pick<ServerSettings, 'url' | 'forwardedAllowIps'>,
  { prefix, dropAuthorization }: { readonly prefix: string; readonly dropAuthorization: boolean },
): string[] {
  return requestHeaders(request.rawHeaders, {
    clientAddress: clientAddress(request),
    protocol: url.startsWith('https:') ? 'https' : 'http',
    prefix,
    isTrusted: isTrustedProxy(request.socket.remoteAddress ?? '', forwardedAllowIps),
    dropAuthorization,
  });
}
