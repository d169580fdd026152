import { FormBody } from '../http/form-body.js';
import { randomKey } from '../http/random-key.js';

/** The one field of the upload routes: a file named by its SHA-256. */
export async function uploadForm(hash: string, content: Uint8Array): Promise<FormBody> {
  return new FormBody('file', hash, content, `dstack-${await randomKey()}`);
}
