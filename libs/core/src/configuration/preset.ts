import { z } from 'zod';
import { profileParameters } from '../profiles/profile-parameters.js';
import { env } from './fields/env.js';
import { gatewayReference } from './service.js';
import { byKind, eitherShape, own } from './schema/choice.js';
import { mapping } from './schema/mapping.js';
import { listOf, optional } from './schema/presence.js';
import { flag, integer, oneOf, text } from './schema/scalars.js';

export type PresetConfiguration = z.output<ReturnType<typeof presetSchema>>;

type PresetModel = { repo: string; name: string | null } | { base: string };

export function presetSchema() {
  const positive = () => optional(integer({ min: 1 }));
  const named = text({ minLength: 1 }).transform((repo): PresetModel => ({ repo, name: null }));
  const byRepo = mapping({ repo: text({ minLength: 1 }), name: optional(text()) });
  const byBase = mapping({ base: text({ minLength: 1 }) });
  const model: z.ZodType<PresetModel> = byKind('a model name, {repo} or {base}', {
    text: named,
    number: named,
    mapping: eitherShape((value) => own(value, 'base') !== undefined, byBase, byRepo),
  });
  const inline = text({ maxLength: 10_000 });
  return mapping({
    ...profileParameters(),
    type: oneOf(['preset']),
    name: optional(text()),
    model: optional(model),
    base: optional(text({ minLength: 1 })),
    repo: optional(text({ minLength: 1 })),
    prompt: optional(
      byKind('a text or {path}', { text: inline, number: inline, mapping: mapping({ path: text({ minLength: 1 }) }) }),
    ),
    min_context_length: positive(),
    max_ttft: positive(),
    trials: positive(),
    previous: optional(listOf(text())),
    concurrency: positive(),
    input_tokens: positive(),
    output_tokens: optional(integer({ min: 2 })),
    shared_prefix_tokens: optional(integer({ min: 0 })),
    dataset: optional(text()),
    baseline: optional(flag()),
    gateway: optional(gatewayReference()),
    env: env(),
  }).transform(({ base, repo, model: given, ...preset }, context) => {
    const set = [given, base, repo].filter((value) => value !== null);
    if (set.length !== 1) {
      const message =
        set.length === 0 ? 'is required: set model, base or repo' : 'model, base and repo are mutually exclusive';
      context.issues.push({ code: 'custom', message, input: given, path: ['model'] });
      return z.NEVER;
    }
    const chosen: PresetModel = given ?? (base !== null ? { base } : { repo: repo ?? '', name: null });
    return { ...preset, model: chosen };
  });
}
