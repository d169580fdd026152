import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.js';
import { identifier, replicaSchema } from './replica.js';

const MEBIBYTE = 1024 * 1024;

/** In lower case, without a port; `*` is none. */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'a host name in lower case',
  );

/**
 * `certificate`: TLS ends at this gateway, with a certificate from ACME or from `PUT /v1/certificates`; plain requests are sent to https.
 * `balancer`: TLS ended at a balancer in front: plain here, and `https` for the replica. `none`: plain.
 */
export const httpsMode = z.enum(['certificate', 'balancer', 'none']);
export type HttpsMode = z.infer<typeof httpsMode>;

export const path = z.string().regex(/^\/[^\s\p{Cc}\\{}]{0,4093}$/u, 'a path starting with /');

export const rateLimitSchema = z.object({
  /** Of the paths it holds for; the longest that fits wins. */
  prefix: path,
  /** Who is counted: addresses, or values of a header (who sends none is counted by address). */
  key: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('ip') }),
    z.object({ kind: z.literal('header'), header: z.string().regex(/^[A-Za-z0-9_-]{1,500}$/, 'the name of a header') }),
  ]),
  requestsPerSecond: z.number().positive(),
  /** Requests beyond the rate that are let through at once. */
  burst: z.number().int().min(0),
});
export type GatewayRateLimit = DeepReadonly<z.infer<typeof rateLimitSchema>>;

export const serviceSchema = z.object({
  /** The run's id. */
  id: identifier,
  project: z.string().min(1).max(256),
  run: z.string().min(1).max(256),
  /** The whole name it answers to: `llm.example.com`. No two services share one. */
  host: hostName,
  https: httpsMode,
  /** Only members of the project may ask, by a dstack token. */
  auth: z.boolean(),
  /** Bytes; 0: any. Longer bodies are refused with 413. */
  maxBodyBytes: z
    .number()
    .int()
    .min(0)
    .default(64 * MEBIBYTE),
  rateLimits: z.array(rateLimitSchema).max(1000).default([]),
  /** Pages of any origin may ask (OpenAI models): preflights are answered here, and the replica's own CORS headers are hidden. */
  cors: z.boolean().default(false),
  /** What of the service may be asked (routers); anything else is refused with 403. Null: everything. */
  onlyPaths: z
    .array(z.object({ path, match: z.enum(['exact', 'prefix']) }))
    .nullable()
    .default(null),
  /** Seconds until a replica begins to answer, and between two parts of an answer. */
  answerSeconds: z.number().int().positive().default(300),
  /** What becomes of requests while no replica can be reached: so many wait for so long, then 503 with Retry-After. */
  hold: z
    .object({ places: z.number().int().min(0), seconds: z.number().min(0) })
    .default({ places: 100, seconds: 120 }),
  /** Those that are ready. */
  replicas: z.array(replicaSchema),
});
/** A service as its gateway serves it. */
export type GatewayService = DeepReadonly<z.infer<typeof serviceSchema>>;
