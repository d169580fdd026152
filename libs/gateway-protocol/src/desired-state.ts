import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.js';
import { accessSchema } from './access.js';
import { acmeSchema } from './certificates.js';
import { modelHostSchema, modelSchema } from './models.js';
import { identifier } from './replica.js';
import { serviceSchema } from './service.js';

const schema = z
  .object({
    /**
     * Grows with every change; an older one is refused (`stale_revision`, with the one that is held). A server whose database was restored
     * goes on from there. The same one again is applied again, which changes nothing.
     */
    revision: z.number().int().min(0),
    services: z.array(serviceSchema),
    models: z.array(modelSchema).default([]),
    modelHosts: z.array(modelHostSchema).default([]),
    access: accessSchema,
    /** Private keys of the hops, in PEM or OpenSSH's format. */
    keys: z.array(z.object({ id: identifier, privateKey: z.string().min(1) })),
    acme: acmeSchema.nullable(),
    /** Addresses or CIDRs of the balancers in front: what they say of their clients is believed. */
    trustedProxies: z.array(z.string().regex(/^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/, 'an address or a CIDR')).default([]),
    /**
     * For so long after the server was last heard of, requests are answered as if it were there. Then nobody can know any more whose token was
     * revoked: services with `auth` say 503 with Retry-After until it is back; those without go on.
     */
    holdSeconds: z.number().min(0).default(3600),
  })
  .superRefine((state, context) => {
    const hosts = new Set<string>();
    for (const { host } of [...state.services, ...state.modelHosts]) {
      if (hosts.has(host))
        context.addIssue({ code: 'custom', path: ['services'], message: `two services want the host ${host}` });
      hosts.add(host);
    }
    const ids = new Set<string>();
    for (const { id } of state.services) {
      if (ids.has(id))
        context.addIssue({ code: 'custom', path: ['services'], message: `two services have the id ${id}` });
      ids.add(id);
    }
    const keys = new Set(state.keys.map(({ id }) => id));
    for (const { id, hops, remote } of state.services.flatMap(({ replicas }) => replicas)) {
      if ((hops.length === 0) !== (remote.kind === 'server'))
        context.addIssue({ code: 'custom', path: ['services'], message: `replica ${id} needs hops, or the server` });
      const missing = hops.find(({ keyId }) => !keys.has(keyId));
      if (missing !== undefined)
        context.addIssue({ code: 'custom', path: ['keys'], message: `replica ${id} needs the key ${missing.keyId}` });
    }
  });

/** All that a gateway replica shall do: `PUT /v1/state`. What is not in it ends. */
export type GatewayState = DeepReadonly<z.infer<typeof schema>>;
/** As it is sent: fields with defaults may be left out. */
export type GatewayStateInput = DeepReadonly<z.input<typeof schema>>;

/** Unknown fields are dropped, so that an older gateway takes a newer server's state. @throws {RangeError} naming each wrong field. */
export function parseGatewayState(value: unknown): GatewayState {
  return parseWith(schema, value, 'a state');
}

/** @throws {RangeError} naming each wrong field, never a value: some are secret. */
export function parseWith<T>(wanted: z.ZodType<T>, value: unknown, what: string): T {
  const result = wanted.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new RangeError(`not ${what}: ${issues.slice(0, 20).join('; ')}`);
}
