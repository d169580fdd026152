import { z } from 'zod';
import { BACKEND_TYPES, type BackendType } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';
import { sshConfig } from './fields/ssh-config.js';
import { tags } from './fields/tags.js';
import { byKey } from './schema/choice.js';
import { mapping } from './schema/mapping.js';
import { defaulted, defaultedOrNull, optional } from './schema/presence.js';
import { flag, integer, oneOf, text } from './schema/scalars.js';

type Certificate = Wire.LetsEncryptGatewayCertificate | Wire.ACMGatewayCertificate;

/** The contract's, and what we add: a gateway on hosts of your own. */
export type GatewayConfiguration = Wire.GatewayConfiguration & {
  /** As in a fleet; present only when it is set, as existing servers know no such field. */
  readonly ssh_config?: Wire.SSHParams;
};

/** Of hosts that nobody rents. */
export const OWN_HOSTS_REGION = 'remote';

export function gatewaySchema(): z.ZodType<GatewayConfiguration> {
  const certificate = byKey('type', {
    'lets-encrypt': mapping({ type: oneOf(['lets-encrypt']) }),
    acm: mapping({ type: oneOf(['acm']), arn: text({ minLength: 1 }) }),
  });
  const written = mapping({
    type: oneOf(['gateway']),
    name: optional(text()),
    default: optional(flag()),
    backend: oneOf([...BACKEND_TYPES, 'ssh']),
    region: optional(text()),
    instance_type: optional(text({ minLength: 1 })),
    domain: optional(text()),
    public_ip: defaulted(flag(), () => true),
    certificate: defaultedOrNull<Certificate>(certificate, () => ({ type: 'lets-encrypt' })),
    replicas: optional(integer({ min: 1 })),
    tags: optional(tags()),
    ssh_config: optional(sshConfig()),
  });
  return written.transform(({ ssh_config: ssh, backend: named, region: stated, ...rest }, context) => {
    const backend: BackendType = named === 'ssh' ? 'remote' : named;
    const region = stated ?? (backend === 'remote' ? OWN_HOSTS_REGION : null);
    if (region === null) {
      context.issues.push({ code: 'custom', message: 'expected text, got nothing', input: stated, path: ['region'] });
      return z.NEVER;
    }
    return { ...rest, backend, region, ...(ssh === null ? {} : { ssh_config: ssh }) };
  });
}
