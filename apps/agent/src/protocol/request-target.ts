import type { IncomingMessage } from 'node:http';

export interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** As it was sent: nothing is resolved or decoded in a path, and no text is too odd to be a path that leads nowhere. */
export function readTarget({ url = '' }: Pick<IncomingMessage, 'url'>): RequestTarget {
  const [path = '', ...query] = url.split('?');
  return { path, query: new URLSearchParams(query.join('?')) };
}
