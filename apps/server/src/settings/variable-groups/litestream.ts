import type { Variable } from '../variable.js';

export const LITESTREAM = {
  GOOGLE_APPLICATION_CREDENTIALS_JSON: {
    type: 'text',
    says: 'Content of a Google credentials file, for Litestream and backends with default credentials',
    secret: true,
  },
  LITESTREAM_REPLICA_URL: {
    type: 'text',
    says: 'Where Litestream copies the SQLite database to, and brings it back from where there is none: `s3://bucket/path`, `gs://bucket/path`, `abs://account@container/path`',
  },
  DSTACK_SERVER_LITESTREAM: {
    type: 'text',
    default: 'litestream',
    says: 'The program; `external` where you run it yourself',
    ours: true,
  },
  AWS_ACCESS_KEY_ID: { type: 'text', says: 'Credentials of S3 and CloudWatch' },
  AWS_SECRET_ACCESS_KEY: { type: 'text', says: 'Credentials of S3 and CloudWatch', secret: true },
  GOOGLE_APPLICATION_CREDENTIALS: { type: 'text', says: 'A Google credentials file' },
  LITESTREAM_AZURE_ACCOUNT_KEY: { type: 'text', says: 'Key of the Azure storage account', secret: true },
} as const satisfies Readonly<Record<string, Variable>>;
