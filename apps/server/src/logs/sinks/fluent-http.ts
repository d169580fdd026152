export interface FluentAddress {
  readonly host: string;
  readonly port: number;
}

export interface FluentRecord {
  /** Unix ms. */
  readonly at: number;
  readonly record: Readonly<Record<string, string | number>>;
}

/** It answered, and not that it has them. */
export class FluentError extends Error {
  override readonly name = 'FluentError';
  constructor(
    message: string,
    /** It will not take them another time either. */
    readonly isRefused = false,
  ) {
    super(message);
  }
}

export const ANSWER_MS = 20_000;

/** To the `http` input: all records in one request, the tag as its path. */
export async function postRecords(
  { host, port }: FluentAddress,
  tag: string,
  records: readonly FluentRecord[],
): Promise<void> {
  const response = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}/${encodeURI(tag)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records.map(({ record }) => record)),
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  });
  await response.body?.cancel();
  if (response.ok) return;
  throw new FluentError(`HTTP ${response.status}`, response.status === 400 || response.status === 413);
}
