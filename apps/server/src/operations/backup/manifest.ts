import { z } from 'zod';
import { OperationError } from '../operation-error.js';

export const MANIFEST = 'manifest.json';

const schema = z.object({
  format: z.literal(1),
  createdAt: z.string(),
  installationId: z.string(),
  /** The key that values of the database are encrypted with; null: they are plain text. */
  keyName: z.string().nullable(),
  /** Whether `config.yml` and `encryption.key` are in the backup. */
  withKeys: z.boolean(),
  migrations: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});

/** What a backup holds. Written last: a folder without one is a backup that was not finished. */
export type Manifest = z.infer<typeof schema>;

export type BackedUpFile = Manifest['files'][number];

/** @throws {OperationError} */
export function parseManifest(text: string, path: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new OperationError(`${path} is no JSON: this backup is damaged. Take another one.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OperationError(
    `${path} is not understood (${issue?.path.join('.')}: ${issue?.message}): it was made by another version, or is no backup.`,
  );
}

/** Paths come from a file: none may lead out of the folder. */
export function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.includes('\0') && path.split('/').every((part) => part !== '..' && part !== '');
}
