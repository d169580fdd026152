import { SourcedNumber } from './sourced-number.js';

export type Kind = 'text' | 'number' | 'boolean' | 'mapping' | 'list' | 'null' | 'missing' | 'other';

export function kindOf(value: unknown): Kind {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof SourcedNumber) return 'number';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'object':
      return 'mapping';
    default:
      return 'other';
  }
}

/** What a person reads after "got": the kind, and the value when it is short. */
export function describe(value: unknown): string {
  const kind = kindOf(value);
  if (kind === 'missing' || kind === 'null') return 'nothing';
  if (kind === 'number') return `the number ${value instanceof SourcedNumber ? value.source : String(value)}`;
  if (kind === 'boolean') return String(value);
  if (typeof value === 'string') return value.length <= 60 ? `"${value}"` : 'a long text';
  return kind === 'other' ? 'an unusable value' : `a ${kind}`;
}
