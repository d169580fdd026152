import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKey, byKind } from '../schema/choice.js';
import { mapping } from '../schema/mapping.js';
import { defaulted, optional } from '../schema/presence.js';
import { oneOf, text } from '../schema/scalars.js';

type ServiceModel = Wire.OpenAIChatModel | Wire.TGIChatModel;

/** A bare name is an OpenAI-compatible chat model under `/v1`. */
export function serviceModel(): z.ZodType<ServiceModel> {
  const named = text({ minLength: 1 }).transform((name): ServiceModel => ({
    type: 'chat',
    name,
    format: 'openai',
    prefix: '/v1',
  }));
  const type = defaulted(oneOf(['chat']), () => 'chat' as const);
  const name = text({ minLength: 1 });
  const openai = mapping({
    type,
    name,
    format: defaulted(oneOf(['openai']), () => 'openai' as const),
    prefix: defaulted(text(), () => '/v1'),
  });
  const tgi = mapping({
    type,
    name,
    format: oneOf(['tgi']),
    chat_template: optional(text()),
    eos_token: optional(text()),
  });
  return byKind('a model name or a mapping', {
    text: named,
    number: named,
    mapping: byKey('format', { openai, tgi }, 'openai'),
  });
}
