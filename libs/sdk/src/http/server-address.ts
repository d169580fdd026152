import { DstackError } from '../errors.js';

export interface ServerAddress {
  readonly baseUrl: string;
  readonly socketPath?: string;
}

const WEB = /^https?:\/\//i;
const UNIX = /^http\+unix:\/\/([^/]+)(\/.*)?$/;

/** Where a server is: a URL, or a unix socket with its path escaped, as runs with `dstack: true` are given it. Pure. */
export function serverAddress(url: string): ServerAddress {
  const trimmed = url.replace(/\/+$/, '');
  const [, socket, path = ''] = UNIX.exec(trimmed) ?? [];
  if (socket === undefined) {
    if (!WEB.test(trimmed) || !URL.canParse(trimmed))
      throw new DstackError('invalid', `${url} is no address of a dstack server.`, {
        hint: 'Write it with its scheme: https://dstack.example.org or http://127.0.0.1:3000',
      });
    return { baseUrl: trimmed };
  }
  try {
    return { baseUrl: `http://localhost${path}`, socketPath: decodeURIComponent(socket) };
  } catch (cause) {
    throw new DstackError('invalid', `${url} is no address of a unix socket.`, {
      hint: 'Write http+unix://%2Fpath%2Fto.sock',
      cause,
    });
  }
}
