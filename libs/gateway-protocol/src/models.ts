import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.js';
import { identifier } from './replica.js';
import { hostName, httpsMode } from './service.js';

export const modelSchema = z.object({
  project: z.string().min(1).max(256),
  name: z.string().min(1).max(1024),
  serviceId: identifier,
  /** Unix seconds; of several with one name the newest is asked. */
  createdAt: z.number().int(),
  api: z.discriminatedUnion('format', [
    /** `prefix` is where the service has the OpenAI API: `/v1`. */
    z.object({ format: z.literal('openai'), prefix: z.string().max(1024) }),
    /** Null: the configuration does not tell. */
    z.object({ format: z.literal('tgi'), chatTemplate: z.string().nullable(), eosToken: z.string().nullable() }),
  ]),
});
/** A model that a service of this gateway serves. */
export type GatewayModel = DeepReadonly<z.infer<typeof modelSchema>>;

export const modelHostSchema = z.object({
  host: hostName,
  https: httpsMode,
  /** Whose models are at `/`; those of any project are at `/<project>/`. */
  project: z.string().min(1).max(256),
});
/** A name at which models are asked for in OpenAI's words, whatever their services speak: `gateway.<domain>`. A token is always needed. */
export type ModelHost = DeepReadonly<z.infer<typeof modelHostSchema>>;
