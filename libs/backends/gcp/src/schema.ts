import { z } from 'zod';

/** What is used of the answers of Compute Engine v1 and Cloud TPU v2. Integers of 64 bits come as text. */
const count = z.union([z.string(), z.number()]).transform(Number);

export const errorReply = z.object({
  error: z.object({
    message: z.string(),
    status: z.string().optional(),
    errors: z.array(z.object({ reason: z.string().optional() })).optional(),
    details: z.array(z.object({ reason: z.string().optional() })).optional(),
  }),
});

const operationError = z.object({ code: z.string(), message: z.string().default('') });
export type OperationError = z.infer<typeof operationError>;

export const operationReply = z.object({
  name: z.string(),
  status: z.enum(['PENDING', 'RUNNING', 'DONE']),
  error: z.object({ errors: z.array(operationError).default([]) }).optional(),
  httpErrorStatusCode: z.number().optional(),
});
export type Operation = z.infer<typeof operationReply>;

const networkInterface = z.object({
  networkIP: z.string().optional(),
  accessConfigs: z.array(z.object({ natIP: z.string().optional() })).optional(),
});
const attachedDisk = z.object({ deviceName: z.string().optional(), source: z.string().optional() });
const labels = z.record(z.string(), z.string());

export const instanceReply = z.object({
  name: z.string(),
  /** A state that is not known yet is waited for. */
  status: z.string(),
  statusMessage: z.string().optional(),
  zone: z.string().optional(),
  machineType: z.string().optional(),
  creationTimestamp: z.string().optional(),
  labels: labels.optional(),
  networkInterfaces: z.array(networkInterface).optional(),
  disks: z.array(attachedDisk).optional(),
  scheduling: z.object({ provisioningModel: z.string().optional() }).optional(),
});
export type GceInstance = z.infer<typeof instanceReply>;

export const diskReply = z.object({
  name: z.string(),
  zone: z.string().optional(),
  sizeGb: count,
  type: z.string().optional(),
  sourceImage: z.string().optional(),
});
export type GceDisk = z.infer<typeof diskReply>;

/** One page of a list over all zones: what is in each comes under its own name. */
function aggregated<T extends z.ZodType>(name: string, item: T) {
  return z
    .object({
      items: z.record(z.string(), z.object({ [name]: z.array(item).optional() })).optional(),
      nextPageToken: z.string().optional(),
    })
    .transform(({ items, nextPageToken }) => ({
      // The member's name is a variable, so that its type is lost on the way.
      items: Object.values(items ?? {}).flatMap((scope) => (scope[name] ?? []) as z.infer<T>[]),
      nextPageToken,
    }));
}

const reservation = z.object({
  name: z.string(),
  zone: z.string(),
  status: z.string().optional(),
  specificReservationRequired: z.boolean().optional(),
  deploymentType: z.string().optional(),
  resourcePolicies: z.record(z.string(), z.string()).optional(),
  specificReservation: z
    .object({
      assuredCount: count.optional(),
      count: count.optional(),
      inUseCount: count.optional(),
      instanceProperties: z
        .object({
          machineType: z.string().optional(),
          guestAccelerators: z
            .array(z.object({ acceleratorType: z.string(), acceleratorCount: z.number() }))
            .optional(),
          localSsds: z.array(z.object({ diskSizeGb: count, interface: z.string().optional() })).optional(),
        })
        .optional(),
    })
    .optional(),
});
export type GceReservation = z.infer<typeof reservation>;

export const instancesPage = aggregated('instances', instanceReply);
export const disksPage = aggregated('disks', diskReply);
export const reservationsPage = aggregated('reservations', reservation);

const region = z.object({
  name: z.string(),
  status: z.string().optional(),
  zones: z.array(z.string()).optional(),
  quotas: z
    .array(z.object({ metric: z.string().optional(), limit: z.number().optional(), usage: z.number().optional() }))
    .optional(),
});
export type GceRegion = z.infer<typeof region>;
export const regionsPage = z.object({ items: z.array(region).default([]), nextPageToken: z.string().optional() });

const subnet = z.object({ subnetwork: z.string(), network: z.string(), purpose: z.string().optional() });
export type GceSubnet = z.infer<typeof subnet>;
export const subnetsPage = z.object({ items: z.array(subnet).default([]), nextPageToken: z.string().optional() });

const router = z.object({ network: z.string().optional(), nats: z.array(z.object({ name: z.string() })).optional() });
export type GceRouter = z.infer<typeof router>;
export const routersPage = z.object({ items: z.array(router).default([]), nextPageToken: z.string().optional() });

const rpcStatus = z.object({ code: z.number(), message: z.string().default('') });
export type RpcStatus = z.infer<typeof rpcStatus>;
export const tpuOperationReply = z.object({
  name: z.string(),
  done: z.boolean().default(false),
  error: rpcStatus.optional(),
});
export type TpuOperation = z.infer<typeof tpuOperationReply>;

export const nodeReply = z.object({
  name: z.string(),
  state: z.string().default('STATE_UNSPECIFIED'),
  healthDescription: z.string().optional(),
  acceleratorType: z.string().optional(),
  createTime: z.string().optional(),
  labels: labels.optional(),
  networkEndpoints: z
    .array(
      z.object({
        ipAddress: z.string().optional(),
        accessConfig: z.object({ externalIp: z.string().optional() }).optional(),
      }),
    )
    .optional(),
  dataDisks: z.array(z.object({ sourceDisk: z.string(), mode: z.string().optional() })).optional(),
});
export type TpuNode = z.infer<typeof nodeReply>;
export const nodesPage = z.object({ nodes: z.array(nodeReply).default([]), nextPageToken: z.string().optional() });
