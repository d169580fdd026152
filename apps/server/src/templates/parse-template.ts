import { load, YAMLException } from 'js-yaml';
import type { Wire } from '@dstack/core';
import { checkSchema } from '../http/check-schema.js';

/** A file that is no template, but something else, is neither. */
export type ParsedTemplate = { readonly template: Wire.UITemplate } | { readonly problem: string } | object;

/** Pure. */
export function parseTemplate(text: string): ParsedTemplate {
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { problem: `it is not YAML: ${error.reason}` };
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'template') return {};
  const checked = checkSchema({ $ref: '#/components/schemas/UITemplate' }, value);
  if ('value' in checked) return { template: checked.value as Wire.UITemplate }; // as the schema says
  const problems = checked.issues.map(({ loc, msg }) => `${loc.slice(1).join('.')}: ${msg}`);
  return { problem: problems.join('; ') };
}
