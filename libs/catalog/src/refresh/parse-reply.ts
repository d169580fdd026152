import type { z } from 'zod';
import { CatalogSourceError } from './source-error.js';

/** @throws {CatalogSourceError} that names the field which is not as expected */
export function parseReply<T>(url: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const problem = `the reply of ${text.length} characters is no JSON, or not all of it`;
    throw new CatalogSourceError(url, problem, null, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.reduce<string>((path, part) => {
    return path + (typeof part === 'number' ? `[${part}]` : `${path === '' ? '' : '.'}${String(part)}`);
  }, '');
  throw new CatalogSourceError(
    url,
    issue?.message ?? 'is not as expected',
    field === '' ? 'the reply' : (field ?? null),
  );
}
