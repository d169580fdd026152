/** Waits for a condition, never for a duration; the limit only ends what would wait for ever. */
export async function until<T>(what: string, find: () => Promise<T | false | null> | T | false | null): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const found = await find();
    if (found !== false && found !== null) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
