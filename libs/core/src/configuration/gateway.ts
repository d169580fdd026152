import type { z } from 'zod';
import { BACKEND_TYPES } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';
import { tags } from './fields/tags.js';
import { byKey } from './schema/choice.js';
import { mapping } from './schema/mapping.js';
import { defaulted, defaultedOrNull, optional } from './schema/presence.js';
import { flag, integer, oneOf, text } from './schema/scalars.js';

type Certificate = Wire.LetsEncryptGatewayCertificate | Wire.ACMGatewayCertificate;

export function gatewaySchema(): z.ZodType<Wire.GatewayConfiguration> {
  const certificate = byKey('type', {
    'lets-encrypt': mapping({ type: oneOf(['lets-encrypt']) }),
    acm: mapping({ type: oneOf(['acm']), arn: text({ minLength: 1 }) }),
  });
  return mapping({
    type: oneOf(['gateway']),
    name: optional(text()),
    default: optional(flag()),
    backend: oneOf(BACKEND_TYPES),
    region: text(),
    instance_type: optional(text({ minLength: 1 })),
    domain: optional(text()),
    public_ip: defaulted(flag(), () => true),
    certificate: defaultedOrNull<Certificate>(certificate, () => ({ type: 'lets-encrypt' })),
    replicas: optional(integer({ min: 1 })),
    tags: optional(tags()),
  });
}
