import { registerHooks } from 'node:module';

/**
 * From now on these modules are loaded from the given texts.
 * @param modules by URL
 * @returns the URLs that nobody has asked for yet
 */
export function loadInstead(modules: ReadonlyMap<string, string>): () => string[] {
  const missed = new Set(modules.keys());
  registerHooks({
    load(url, context, next) {
      const source = modules.get(url);
      if (source === undefined) return next(url, context);
      missed.delete(url);
      return { format: 'module', source, shortCircuit: true };
    },
  });
  return () => [...missed];
}
