import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.js';

const printable = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^\p{Cc}]+$/u, 'without control characters');
const port = z.number().int().min(1).max(65_535);

/** Becomes part of file names. */
export const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'letters, digits, ., - and _');

export const hopSchema = z.object({
  host: printable,
  port,
  user: printable,
  /** One of the state's `keys`. */
  keyId: identifier,
  /** `<type> <base64>`: any other key is refused. Null: whatever it shows first. */
  hostKey: printable.nullable(),
});
/** One SSH login. */
export type SshHop = DeepReadonly<z.infer<typeof hopSchema>>;

const remoteSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tcp'), host: printable, port }),
  z.object({ kind: z.literal('unix'), path: z.string().regex(/^\/[^\p{Cc}]{1,1023}$/u, 'an absolute path') }),
  /** The gateway has no way there: the server leads it, by `GET /v1/connections`. Since {@link LED_REPLICAS_SINCE}. */
  z.object({ kind: z.literal('server') }),
]);

export const replicaSchema = z.object({
  /** The job's id: what stats are told by. */
  id: identifier,
  /** The replica group that the service counts it to. */
  group: z.string().max(256),
  /** From the gateway on: jump hosts first, then the host that opens `remote`. Replicas with the same hops share a connection. None where the server leads. */
  hops: z.array(hopSchema).max(4),
  /** The replica's port, as seen from the last hop. */
  remote: remoteSchema,
});
/** One replica of a service that may get requests. One that is to go is left out: it gets no new ones, and those under way end. */
export type GatewayReplica = DeepReadonly<z.infer<typeof replicaSchema>>;
