import type { Variable } from '../variable.js';

export const DATABASE = {
  DSTACK_DATABASE_URL: {
    type: 'text',
    otherwise: 'SQLite in the server directory',
    says: 'The database: `postgresql://user:password@host/database`, or `sqlite:////absolute/path.db`',
    secret: true,
  },
  DSTACK_ALEMBIC_MIGRATIONS_LOCATION: {
    type: 'text',
    otherwise: 'dstack._internal.server:migrations',
    says: 'Where database migrations are found',
    state: { because: 'migrations are part of the server' },
  },
  DSTACK_DB_POOL_SIZE: { type: 'integer', default: 20, says: 'Connections to Postgres at most' },
  DSTACK_DB_MAX_OVERFLOW: {
    type: 'integer',
    default: 20,
    says: 'Extra database connections above the pool',
    state: { because: 'the pool has one size' },
  },
  DSTACK_DATABASE_LISTEN_URL: {
    type: 'text',
    says: 'Postgres without the pooler, for notices between replicas (`LISTEN`); `none` where there is no such way: rows are looked for every second',
    secret: true,
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
