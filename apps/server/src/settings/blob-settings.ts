import { type Environment, text } from './environment.js';
import { SettingsError } from './settings-error.js';

/** Where uploads are, if not in the database. */
export type BlobStoreSettings =
  | { readonly type: 's3'; readonly bucket: string; readonly region: string | undefined }
  | { readonly type: 'gcs'; readonly bucket: string; readonly endpoint: string | undefined };

/** @throws {SettingsError} */
export function readBlobStore(
  env: Environment,
  endpoints: Readonly<Record<string, string>>,
): BlobStoreSettings | undefined {
  const s3 = text(env, 'DSTACK_SERVER_S3_BUCKET') ?? text(env, 'DSTACK_SERVER_BUCKET');
  const gcs = text(env, 'DSTACK_SERVER_GCS_BUCKET');
  if (s3 !== undefined && gcs !== undefined)
    throw new SettingsError(
      'DSTACK_SERVER_S3_BUCKET and DSTACK_SERVER_GCS_BUCKET are both set: uploads go to one of them.',
    );
  if (s3 !== undefined) {
    const region = text(env, 'DSTACK_SERVER_S3_BUCKET_REGION') ?? text(env, 'DSTACK_SERVER_BUCKET_REGION');
    return { type: 's3', bucket: s3, region };
  }
  return gcs === undefined ? undefined : { type: 'gcs', bucket: gcs, endpoint: endpoints['gcs'] };
}
