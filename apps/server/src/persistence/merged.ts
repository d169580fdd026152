import type { ReadTx } from './transaction.js';

interface Asked<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One answer to all who ask the same of one transaction in the same moment: those who work on many rows at once write down what is to be
 * done for one row, and the database is asked once. `answer` gives a result for each item, in their order.
 */
export function merged<Tx extends ReadTx, Item, Result>(
  answer: (tx: Tx, items: readonly Item[]) => Promise<readonly Result[]>,
): (tx: Tx, item: Item) => Promise<Result> {
  const waiting = new WeakMap<Tx, Asked<Item, Result>[]>();

  async function answerAll(tx: Tx, asked: readonly Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await answer(tx, asked.map(({ item }) => item)); // prettier-ignore
      for (const [index, { resolve }] of asked.entries()) resolve(results[index] as Result); // one for each, by contract
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  return (tx, item) =>
    new Promise((resolve, reject) => {
      const known = waiting.get(tx);
      if (known !== undefined) {
        known.push({ item, resolve, reject });
        return;
      }
      const asked = [{ item, resolve, reject }];
      waiting.set(tx, asked);
      // When everybody has gone as far as he can without an answer.
      process.nextTick(() => {
        waiting.delete(tx);
        void answerAll(tx, asked);
      });
    });
}
