import { readFile } from 'node:fs/promises';

/** Of the server's own package. */
export async function packageVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(
    await readFile(new URL(import.meta.resolve('@dstack/server/package.json')), 'utf8'),
  );
  return (manifest as { readonly version: string }).version; // our own package's
}
