/** A value of an enumeration: written without quotes. */
export class GraphqlName {
  constructor(readonly name: string) {}
}

/**
 * As it is written in a query, for inputs whose types' names are not published: a variable would have to name them. JSON's texts are
 * GraphQL's, whatever is in them.
 */
export function graphqlLiteral(value: unknown): string {
  if (value instanceof GraphqlName) return value.name;
  if (Array.isArray(value)) return `[${value.map(graphqlLiteral).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, field]) => `${name}: ${graphqlLiteral(field)}`)
    .join(', ')}}`;
}
