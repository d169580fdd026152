import { type ConfigurationIssue, schemaIssue } from '../issue.js';
import type { PresetConfiguration } from '../preset.js';
import { checkResourceName } from './resource-name.js';

const randomOnly = ['input_tokens', 'output_tokens', 'shared_prefix_tokens'] as const;

export function checkPreset(preset: PresetConfiguration): ConfigurationIssue[] {
  const issues = checkResourceName(preset.name);
  if ((preset.dataset ?? 'random') !== 'random') {
    for (const field of randomOnly) {
      if (preset[field] !== null) issues.push(schemaIssue([field], `${field} needs dataset: random`));
    }
  }
  const input = preset.input_tokens ?? 1024;
  const shared = preset.shared_prefix_tokens ?? 0;
  if (shared >= input)
    issues.push(schemaIssue(['shared_prefix_tokens'], `must be less than input_tokens (${input}), is ${shared}`));
  return issues;
}
