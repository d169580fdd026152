/** Builds a value when it is first needed: a command that parses no configuration builds no schemas. */
export function once<T>(build: () => T): () => T {
  let built: { readonly value: T } | undefined;
  return () => (built ??= { value: build() }).value;
}
