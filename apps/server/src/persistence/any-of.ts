import type { Dialect } from './transaction.js';

/** `column` is one of many texts, as one parameter: the statement is the same for however many there are. */
export function anyOf(
  dialect: Dialect,
  column: string,
  values: readonly string[],
): { readonly sql: string; readonly params: readonly string[] } {
  const [only] = values;
  if (only !== undefined && values.length === 1) return { sql: `${column} = ?`, params: [only] };
  return dialect === 'postgres'
    ? { sql: `${column} = ANY(?)`, params: [arrayLiteral(values)] }
    : { sql: `${column} IN (SELECT value FROM json_each(?))`, params: [JSON.stringify(values)] };
}

/** As Postgres reads arrays from text. */
export function arrayLiteral(values: readonly (string | number | boolean | null)[]): string {
  const element = (value: string | number | boolean | null): string =>
    typeof value === 'string' ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"` : String(value ?? 'NULL');
  return `{${values.map(element).join(',')}}`;
}
