import { DatabaseRefusedError } from './errors.js';

export type DatabaseLocation =
  { readonly dialect: 'sqlite'; readonly path: string } | { readonly dialect: 'postgres'; readonly url: string };

/** Accepts the SQLAlchemy spelling too (`postgresql+asyncpg://`, `sqlite+aiosqlite:///`), so that a deployment keeps its variable. */
export function parseDatabaseUrl(text: string, name = 'DSTACK_DATABASE_URL'): DatabaseLocation {
  const scheme = /^([a-z]+)(?:\+[a-z0-9]+)?:\/\//.exec(text);
  switch (scheme?.[1]) {
    case 'sqlite': {
      const path = decodeURI(text.slice(scheme[0].length).replace(/\?.*$/, ''));
      if (!path.startsWith('/') || path.length < 2) break;
      // Three slashes are a relative path, four an absolute one, as SQLAlchemy reads them – but an absolute path is what people mean.
      return { dialect: 'sqlite', path: path.startsWith('//') ? path.slice(1) : path };
    }
    case 'postgres':
    case 'postgresql': {
      const url = text.replace(/^[a-z]+(?:\+[a-z0-9]+)?:\/\//, 'postgresql://');
      if (!URL.canParse(url)) break;
      return { dialect: 'postgres', url };
    }
    default:
  }
  throw new DatabaseRefusedError(
    `${name} is not understood. Write sqlite:////absolute/path.db or postgresql://user:password@host/database.`,
  );
}
