import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKey } from '../schema/choice.js';
import { mapping } from '../schema/mapping.js';
import { defaulted } from '../schema/presence.js';
import { decimal, integer, oneOf, text } from '../schema/scalars.js';

export function rateLimit(): z.ZodType<Wire.RateLimit> {
  const byIp = mapping({ type: oneOf(['ip_address']) });
  const byHeader = mapping({
    type: oneOf(['header']),
    header: text({
      pattern: /^[a-zA-Z0-9\-_]+$/,
      expected: 'a header name of letters, digits, - and _',
      maxLength: 500,
    }),
  });
  const key = byKey('type', { ip_address: byIp, header: byHeader });
  return mapping({
    prefix: defaulted(
      text({
        pattern: /^\/[^\s\\{}]*$/,
        expected: 'a path starting with /, without spaces, \\ and braces',
        maxLength: 4094,
      }),
      () => '/',
    ),
    key: defaulted<Wire.IPAddressPartitioningKey | Wire.HeaderPartitioningKey>(key, () => ({ type: 'ip_address' })),
    // The bounds are those of a reverse proxy that counts requests a minute in 64 bits.
    rps: decimal({ min: 1 / 60, max: 1_537_228_672_809_129 }),
    burst: defaulted(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), () => 0),
  });
}
