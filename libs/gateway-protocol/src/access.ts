import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.js';

export const tokenAccessSchema = z.object({
  /** SHA-256 of the token, in lower-case hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex'),
  /** Names of the projects it opens; `*`: all. Empty: a token of this server all the same, so no replica gets to see it. */
  projects: z.union([z.literal('*'), z.array(z.string())]),
  /** Unix ms; null: never. */
  expiresAt: z.number().nullable().default(null),
});
/** What a token may do here. */
export type TokenAccess = DeepReadonly<z.infer<typeof tokenAccessSchema>>;

export const accessSchema = z.object({
  /** Grows with every change of tokens or memberships. An older one is never taken, alone or inside a state. */
  revision: z.number().int().min(0),
  /** All valid tokens of the server. */
  tokens: z.array(tokenAccessSchema),
});
/** Who may ask: part of the state, and sent alone when only it changed. */
export type GatewayAccess = DeepReadonly<z.infer<typeof accessSchema>>;
