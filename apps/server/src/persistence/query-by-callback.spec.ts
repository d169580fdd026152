import type pg from 'pg';
import { queryByCallback } from './query-by-callback.js';

type Callback = (error: Error | null, result?: unknown) => void;

/** A client that answers at once, and tells how it was asked. */
function clientWith(answer: (callback: Callback) => void): {
  readonly client: pg.ClientBase;
  readonly asked: unknown[][];
} {
  const asked: unknown[][] = [];
  const query = (...given: unknown[]): unknown => {
    asked.push(given);
    const callback = given.find((each) => typeof each === 'function') as Callback | undefined;
    if (callback !== undefined) answer(callback);
    return 'what it returns itself';
  };
  const client = { query } as unknown as pg.ClientBase; // of the rest nothing is used
  queryByCallback(client);
  return { client, asked };
}

describe('A client whose statements are told by callback', () => {
  it('promises the result', async () => {
    const { client, asked } = clientWith((callback) => callback(null, 'rows'));
    await expect(client.query('SELECT $1', [1])).resolves.toBe('rows');
    expect(asked).toEqual([['SELECT $1', [1], expect.any(Function)]]);
  });

  it('promises the failure', async () => {
    const { client } = clientWith((callback) => callback(new Error('no such table')));
    await expect(client.query('SELECT 1')).rejects.toThrow('no such table');
  });

  it.each([
    ['a callback', ['SELECT 1', [], () => undefined]],
    ['a callback instead of values', ['SELECT 1', () => undefined]],
    ['a statement of its own kind', [{ submit: () => undefined }]],
  ] as const)('leaves %s to the client', (_what, given) => {
    const { client, asked } = clientWith(() => undefined);
    const returned = (client.query as (...all: unknown[]) => unknown)(...given);
    expect(returned).toBe('what it returns itself');
    expect(asked[0]?.slice(0, given.length)).toEqual(given);
  });
});
