import { z } from 'zod';

/** What is used of the answers; the maker describes offers by their filters only. */
const ask = z.object({
  id: z.number(),
  geolocation: z.string().nullish(),
  gpu_name: z.string(),
  gpu_arch: z.string().nullish(),
  num_gpus: z.number(),
  /** MiB, of one. */
  gpu_ram: z.number(),
  cpu_cores: z.number().nullish(),
  cpu_cores_effective: z.number().nullish(),
  cpu_arch: z.string().nullish(),
  /** MB, of the whole host. */
  cpu_ram: z.number().nullish(),
  /** GB. */
  disk_space: z.number(),
  /** USD for one GB and 30 days. */
  storage_cost: z.number(),
  /** USD per hour, without disk. */
  dph_base: z.number(),
  min_bid: z.number().nullish(),
});
export const asksReply = z.object({ offers: z.array(ask) });
export type VastaiAsk = z.infer<typeof ask>;

const instance = z.object({
  id: z.number(),
  label: z.string().nullish(),
  /** Null before it has been tried. */
  actual_status: z.string().nullish(),
  cur_state: z.string().nullish(),
  intended_status: z.string().nullish(),
  next_state: z.string().nullish(),
  status_msg: z.string().nullish(),
  public_ipaddr: z.string().nullish(),
  ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullable()).nullish(),
  extra_env: z.array(z.array(z.string())).nullish(),
  geolocation: z.string().nullish(),
  /** Seconds since the epoch. */
  start_date: z.number().nullish(),
});
export type VastaiInstance = z.infer<typeof instance>;
export const instanceReply = z.object({ instances: instance.nullable() });
export const instancesReply = z.object({ instances: z.array(instance), next_token: z.string().nullish() });

export const createReply = z.object({
  success: z.boolean(),
  new_contract: z.number().nullish(),
  error: z.string().nullish(),
  msg: z.string().nullish(),
});
export const destroyReply = z.object({ success: z.boolean(), error: z.string().nullish(), msg: z.string().nullish() });

export const errorReply = z.object({
  error: z.string().nullish(),
  msg: z.string().nullish(),
  detail: z.string().nullish(),
});
