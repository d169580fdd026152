import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Credentials that are given as text become a file of this user alone: what speaks to Google – Litestream, backends with default credentials –
 * reads one. A file that is named goes first.
 */
export function useGoogleCredentials(env: NodeJS.ProcessEnv): void {
  const content = env['GOOGLE_APPLICATION_CREDENTIALS_JSON'];
  if (content === undefined || content === '' || env['GOOGLE_APPLICATION_CREDENTIALS'] !== undefined) return;
  const path = join(mkdtempSync(join(tmpdir(), 'dstack-google-')), 'credentials.json');
  writeFileSync(path, content, { mode: 0o600 });
  env['GOOGLE_APPLICATION_CREDENTIALS'] = path;
}
