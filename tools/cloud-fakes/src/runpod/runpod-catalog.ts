import { CLUSTER_CENTER } from './clusters.js';

/** Real types, with prices of RunPod's list of 2026. */
export const GPUS = [
  gpu('NVIDIA GeForce RTX 4090', 'RTX 4090', 24, { secure: 0.69, community: 0.34 }),
  gpu('NVIDIA L4', 'L4', 24, { secure: 0.39, community: 0 }),
  gpu('NVIDIA H100 80GB HBM3', 'H100 SXM', 80, { secure: 2.99, community: 2.69 }, 3.59),
];

export const CPUS = [
  { id: 'cpu3c', name: 'Compute-Optimized', group: 'Gen 3', vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, price: 0.03 },
  { id: 'cpu5c', name: 'Compute-Optimized', group: 'Gen 5', vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, price: 0.035 },
];

export const DATA_CENTERS = ['EU-RO-1', 'US-TX-3', CLUSTER_CENTER];

function gpu(
  id: string,
  name: string,
  memory: number,
  price: { readonly secure: number; readonly community: number },
  clusterPrice = 0,
) {
  return {
    id,
    name,
    pool: null,
    manufacturer: 'NVIDIA',
    memory,
    secure: price.secure > 0,
    community: price.community > 0,
    price,
    clusterPrice,
    maxCount: { secure: 8, community: price.community > 0 ? 4 : 0 },
  };
}
