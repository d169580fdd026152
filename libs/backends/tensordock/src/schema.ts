import { z } from 'zod';

/** What is used of the answers of API v2. Its pages show single machines flat and lists nested: both are read. */
const gpu = z.object({
  v0Name: z.string(),
  max_count: z.number(),
  price_per_hr: z.number(),
  resources: z.object({ max_vcpus: z.number(), max_ram_gb: z.number(), max_storage_gb: z.number() }),
  pricing: z.object({ per_vcpu_hr: z.number(), per_gb_ram_hr: z.number(), per_gb_storage_hr: z.number() }),
  network_features: z
    .object({ dedicated_ip_available: z.boolean().default(false) })
    .default({ dedicated_ip_available: false }),
});

const location = z.object({ id: z.string(), city: z.string(), country: z.string(), gpus: z.array(gpu) });

const attributes = z.object({
  name: z.string().nullish(),
  status: z.string(),
  ipAddress: z.string().nullish(),
  portForwards: z.array(z.object({ internal_port: z.coerce.number(), external_port: z.coerce.number() })).nullish(),
});

const flat = attributes.extend({ id: z.string() });
const nested = z.object({ id: z.string(), attributes }).transform(({ id, attributes: own }) => ({ ...own, id }));
const instance = z.union([nested, flat]);

export const locationsReply = z.object({ data: z.object({ locations: z.array(location) }) });
export const instancesReply = z.object({ data: z.object({ instances: z.array(instance) }) });
export const instanceReply = z.union([z.object({ data: instance }).transform(({ data }) => data), instance]);
export const createdReply = z.object({ data: z.object({ id: z.string() }) });
export const anyReply = z.unknown();
export const errorReply = z.union([
  z.object({ error: z.string() }).transform(({ error }) => error),
  z
    .object({ errors: z.array(z.object({ detail: z.string() })).min(1) })
    .transform(({ errors }) => errors[0]?.detail ?? ''),
]);

export type TensorDockLocation = z.infer<typeof location>;
export type TensorDockGpu = z.infer<typeof gpu>;
export type TensorDockInstance = z.infer<typeof flat>;
