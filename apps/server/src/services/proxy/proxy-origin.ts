import type { IncomingMessage } from 'node:http';

/** Whether the request came to the origin that shows services only. */
export function isAtOrigin({ headers }: Pick<IncomingMessage, 'headers'>, proxyUrl: string | undefined): boolean {
  return proxyUrl !== undefined && headers.host?.toLowerCase() === new URL(proxyUrl).host;
}

/** Pages of services must find nothing of the server at their own origin. */
export function isHidden(request: Pick<IncomingMessage, 'headers' | 'url'>, proxyUrl: string | undefined): boolean {
  return isAtOrigin(request, proxyUrl) && !/^\/proxy\/(services|models)\//.test(request.url ?? '');
}
