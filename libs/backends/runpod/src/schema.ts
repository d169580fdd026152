import { z } from 'zod';

/** What is used of the answers of REST v2 and of GraphQL. */
const port = z.object({
  private: z.number().nullish(),
  public: z.number().nullish(),
  ip: z.string().nullish(),
});

export const pod = z.object({
  id: z.string(),
  name: z.string(),
  /** One that is not known yet is waited for. */
  status: z.string(),
  dataCenterId: z.string().nullish(),
  env: z.record(z.string(), z.string()).nullish(),
  registry: z.string().nullish(),
  runtime: z.object({ ports: z.array(port).nullish() }).nullish(),
  createdAt: z.string().nullish(),
  /** Rank and address come later. */
  cluster: z.object({ id: z.string(), rank: z.number().nullish(), ip: z.string().nullish() }).nullish(),
});
export const podsReply = z.object({ pods: z.array(pod) });
export type RunpodPod = z.infer<typeof pod>;

const cluster = z.object({ id: z.string(), name: z.string(), createdAt: z.string().nullish() });
export const clustersReply = z.object({ clusters: z.array(cluster) });
export type RunpodCluster = z.infer<typeof cluster>;

export const registry = z.object({ id: z.string(), name: z.string() });
export const registriesReply = z.object({ registries: z.array(registry) });

const availability = z.string();
const places = z.array(z.object({ id: z.string(), availability })).nullish();

const gpuType = z.object({
  id: z.string(),
  price: z.object({ secure: z.number(), community: z.number() }),
  availability: availability.nullish(),
  dataCenters: places,
});
export const gpusReply = z.object({ gpus: z.array(gpuType) });
export type RunpodGpu = z.infer<typeof gpuType>;

const cpuType = z.object({
  id: z.string(),
  vcpu: z.object({ min: z.number(), max: z.number() }),
  ramGbPerVcpu: z.number(),
  price: z.object({ securePerVcpu: z.number() }),
  dataCenters: places,
});
export const cpusReply = z.object({ cpus: z.array(cpuType) });
export type RunpodCpu = z.infer<typeof cpuType>;

export const dataCentersReply = z.object({ dataCenters: z.array(z.object({ id: z.string() })) });

export const volume = z.object({ id: z.string(), name: z.string(), size: z.number(), dataCenter: z.string() });
export const volumesReply = z.object({ networkVolumes: z.array(volume) });
export type RunpodVolume = z.infer<typeof volume>;

export const problem = z.object({
  title: z.string().nullish(),
  detail: z.string().nullish(),
  errors: z.array(z.string()).nullish(),
});

const bid = z.object({
  id: z.string(),
  lowestPrice: z.object({ minimumBidPrice: z.number().nullish() }).nullish(),
});
export const bidsReply = z.object({
  data: z.record(z.string(), z.array(bid).nullish()).nullish(),
  errors: z.array(z.object({ message: z.string() })).nullish(),
});

export const graphqlReply = z.object({
  data: z.record(z.string(), z.object({ id: z.string() }).nullable()).nullish(),
  errors: z.array(z.object({ message: z.string() })).nullish(),
});

const clusterType = z.object({
  id: z.string(),
  /** Of one GPU. */
  clusterPrice: z.number().nullish(),
  maxGpuCount: z.number().nullish(),
  nodeGroupDatacenters: z.array(z.object({ id: z.string() })).nullish(),
});
export const clusterTypesReply = z.object({
  data: z.object({ gpuTypes: z.array(clusterType).nullish() }).nullish(),
  errors: z.array(z.object({ message: z.string() })).nullish(),
});
export type RunpodClusterType = z.infer<typeof clusterType>;

const madeCluster = z.object({ id: z.string(), pods: z.array(z.object({ id: z.string() })).nullish() });
export const clusterReply = z.object({
  data: z.object({ createCluster: madeCluster.nullish() }).nullish(),
  errors: z.array(z.object({ message: z.string() })).nullish(),
});
export type MadeCluster = z.infer<typeof madeCluster>;
