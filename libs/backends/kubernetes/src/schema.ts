import { z } from 'zod';

/** What is used of the answers of the core API, v1. */
const metadata = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().default(''),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
});

const quantities = z.record(z.string(), z.string());
const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
});

const list = <T extends z.ZodType>(item: T) =>
  z.object({
    metadata: z.object({ continue: z.string().nullish() }).default({}),
    items: z.array(item),
  });

export const nodeReply = z.object({
  metadata,
  spec: z
    .object({
      unschedulable: z.boolean().nullish(),
      taints: z.array(z.object({ key: z.string(), value: z.string().nullish(), effect: z.string() })).nullish(),
    })
    .default({}),
  status: z.object({
    allocatable: quantities.default({}),
    conditions: z.array(condition).default([]),
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
    nodeInfo: z.object({ architecture: z.string() }).optional(),
  }),
});
export const nodesReply = list(nodeReply);

const containerState = z.object({
  waiting: z.object({ reason: z.string().nullish(), message: z.string().nullish() }).nullish(),
  terminated: z.object({ exitCode: z.number(), reason: z.string().nullish(), message: z.string().nullish() }).nullish(),
});
const containerStatus = z.object({ name: z.string(), state: containerState.nullish() });
const container = z.object({
  name: z.string(),
  resources: z.object({ requests: quantities.nullish() }).nullish(),
  restartPolicy: z.string().nullish(),
});

export const podReply = z.object({
  metadata,
  spec: z.object({
    nodeName: z.string().nullish(),
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
    overhead: quantities.nullish(),
  }),
  status: z
    .object({
      phase: z.string().nullish(),
      reason: z.string().nullish(),
      message: z.string().nullish(),
      podIP: z.string().nullish(),
      conditions: z.array(condition).nullish(),
      containerStatuses: z.array(containerStatus).nullish(),
      initContainerStatuses: z.array(containerStatus).nullish(),
    })
    .default({}),
});
export const podsReply = list(podReply);

export const serviceReply = z.object({
  metadata,
  spec: z.object({
    clusterIP: z.string().nullish(),
    ports: z.array(z.object({ port: z.number(), nodePort: z.number().nullish() })).nullish(),
  }),
  status: z
    .object({
      loadBalancer: z
        .object({
          ingress: z.array(z.object({ ip: z.string().nullish(), hostname: z.string().nullish() })).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

export const claimReply = z.object({
  metadata,
  spec: z.object({
    accessModes: z.array(z.string()).nullish(),
    resources: z.object({ requests: quantities.nullish() }).nullish(),
  }),
  status: z.object({ phase: z.string().nullish(), capacity: quantities.nullish() }).nullish(),
});
export const claimsReply = list(claimReply);

export const versionReply = z.object({ gitVersion: z.string() });
export const anyReply = z.unknown();

/** How the API says no. */
export const statusReply = z.object({
  message: z.string().nullish(),
  reason: z.string().nullish(),
});

export type KubeNode = z.infer<typeof nodeReply>;
export type Pod = z.infer<typeof podReply>;
export type Service = z.infer<typeof serviceReply>;
export type Claim = z.infer<typeof claimReply>;
