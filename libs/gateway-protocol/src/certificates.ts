import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.js';
import { hostName } from './service.js';

const pem = z
  .string()
  .min(1)
  .max(65_536)
  .regex(/^-----BEGIN /, 'PEM');

export const acmeSchema = z.object({
  directoryUrl: z.url({ protocol: /^https?$/ }),
  email: z.string().max(320).nullable().default(null),
  /** External account binding, where the authority wants one. */
  eab: z
    .object({ keyId: z.string().min(1), hmacKey: z.string().min(1) })
    .nullable()
    .default(null),
  /** PEM: whom to trust at `directoryUrl` beside the usual ones. */
  caCertificate: pem.nullable().default(null),
  /** Whether this replica asks for certificates. One of a gateway's replicas does. */
  issues: z.boolean(),
  /** There are other replicas: validation is asked for only after the answer came back by `putChallenges`, which says that all have it. */
  shared: z.boolean().default(false),
});
export type AcmeSettings = DeepReadonly<z.infer<typeof acmeSchema>>;

export const challengeSchema = z.object({
  host: hostName,
  token: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
  /** The body to answer `/.well-known/acme-challenge/<token>` with. */
  keyAuthorization: z.string().regex(/^[A-Za-z0-9_.-]{1,1024}$/),
});
export type ChallengeAnswer = DeepReadonly<z.infer<typeof challengeSchema>>;
export const challengesSchema = z.object({ answers: z.array(challengeSchema).max(1000) });

export const certificateSchema = z.object({
  host: hostName,
  /** PEM, the leaf first. */
  chain: pem,
  /** PEM; never logged. */
  privateKey: pem,
});
/** With its key: to be stored encrypted, and told to nobody but this gateway's other replicas. */
export type GatewayCertificate = DeepReadonly<z.infer<typeof certificateSchema>>;
export const certificatesSchema = z.object({ certificates: z.array(certificateSchema) });
