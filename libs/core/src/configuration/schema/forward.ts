import type { z } from 'zod';

/** Runs another schema at this place, or at a path below it; its issues keep their paths. Undefined when it fails. */
export function forward<T>(
  schema: z.ZodType<T>,
  value: unknown,
  context: z.RefinementCtx,
  below: readonly (string | number)[] = [],
): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const params: unknown = issue.code === 'custom' ? issue.params : undefined;
    context.issues.push({
      code: 'custom',
      message: issue.message,
      input: value,
      path: [...below, ...issue.path],
      ...(typeof params === 'object' && params !== null ? { params: { ...params } } : {}),
    });
  }
  return undefined;
}
