/** JSON text that this server wrote. The type is a promise of the writer; unknown fields of newer servers are kept out of the way. */
export function readJson<T>(text: string): T {
  return JSON.parse(text) as T;
}

export function readJsonOrNull<T>(text: string | null): T | null {
  return text === null ? null : readJson<T>(text);
}

export function writeJson(value: unknown): string {
  return JSON.stringify(value);
}
