import type { Variable } from '../variable.js';

export const UPLOADS = {
  DSTACK_SERVER_S3_BUCKET: { type: 'text', says: 'S3 bucket for uploaded code and files' },
  DSTACK_SERVER_S3_BUCKET_REGION: { type: 'text', says: 'Region of that S3 bucket' },
  DSTACK_SERVER_BUCKET: { type: 'text', says: 'Old name of DSTACK_SERVER_S3_BUCKET' },
  DSTACK_SERVER_BUCKET_REGION: { type: 'text', says: 'Old name of DSTACK_SERVER_S3_BUCKET_REGION' },
  DSTACK_SERVER_GCS_BUCKET: { type: 'text', says: 'GCS bucket for uploaded code and files' },
  DSTACK_SERVER_CODE_UPLOAD_LIMIT: {
    type: 'integer',
    default: 2097152,
    says: 'Upload limit in bytes, 0 is unlimited',
  },
} as const satisfies Readonly<Record<string, Variable>>;
