import { z } from 'zod';

/** What is used of the answers of the Cloud API, version 1.10.0. */
const region = z.object({ name: z.string() });

const instanceType = z.object({
  name: z.string(),
  gpu_description: z.string().default(''),
  price_cents_per_hour: z.number(),
  specs: z.object({ vcpus: z.number(), memory_gib: z.number(), storage_gib: z.number(), gpus: z.number() }),
});

const instance = z.object({
  id: z.string(),
  name: z.string().nullish(),
  ip: z.string().nullish(),
  private_ip: z.string().nullish(),
  /** One that is not known yet is waited for. */
  status: z.string(),
  region,
  tags: z.array(z.object({ key: z.string(), value: z.string() })).nullish(),
});

const sshKey = z.object({ id: z.string(), name: z.string(), public_key: z.string() });

export const regionsReply = z.object({ data: z.array(region) });
export const instanceTypesReply = z.object({
  data: z.record(
    z.string(),
    z.object({ instance_type: instanceType, regions_with_capacity_available: z.array(region) }),
  ),
});
export const instancesReply = z.object({ data: z.array(instance) });
export const instanceReply = z.object({ data: instance });
export const sshKeysReply = z.object({ data: z.array(sshKey) });
export const sshKeyReply = z.object({ data: sshKey });
export const launchReply = z.object({ data: z.object({ instance_ids: z.array(z.string()).min(1) }) });
export const terminateReply = z.object({ data: z.unknown() });
export const errorReply = z.object({
  error: z.object({ code: z.string(), message: z.string(), suggestion: z.string().nullish() }),
});

export type LambdaInstance = z.infer<typeof instance>;
export type LambdaTypes = z.infer<typeof instanceTypesReply>['data'];
