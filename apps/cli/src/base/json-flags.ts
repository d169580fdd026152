import * as Flags from '@oclif/core/flags';

/** `--json`, and `--format plain|json` as older scripts say it. The base command looks at both. */
export const jsonFlags = {
  json: Flags.boolean({ summary: 'Print the result as JSON' }),
  format: Flags.string({ summary: 'Output format', options: ['plain', 'json'], default: 'plain' }),
};

export const jsonFlag = { json: jsonFlags.json };
