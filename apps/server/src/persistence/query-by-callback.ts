import type pg from 'pg';

type Query = (
  config: unknown,
  values: unknown,
  callback: (error: Error | null | undefined, result: unknown) => void,
) => unknown;

/**
 * Statements of this client are told their end by a callback. With the promise that `pg` makes otherwise each statement that was followed by
 * another one outlived the collections of young objects, with its rows: all that was read was copied twice, and waited for a major collection.
 */
export function queryByCallback(client: pg.ClientBase): void {
  const query = client.query.bind(client) as Query; // one of its overloads
  const queryAny = (config: unknown, values?: unknown, callback?: unknown): unknown => {
    const isAsItIs = typeof callback === 'function' || typeof values === 'function' || isSubmittable(config);
    if (isAsItIs) return query(config, values, callback as Parameters<Query>[2]);
    return new Promise((resolve, reject) => {
      query(config, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    });
  };
  client.query = queryAny as typeof client.query;
}

/** A statement that brings its own way to be told. */
function isSubmittable(config: unknown): boolean {
  return typeof config === 'object' && config !== null && 'submit' in config;
}
