interface FakeShape {
  readonly shape: string;
  readonly quotaNames: readonly string[];
}

/** Hand-made, in the form of Oracle's pages on shapes and limits. */
export const SHAPES: readonly FakeShape[] = [
  { shape: 'VM.Standard2.1', quotaNames: ['standard2-core-count'] },
  { shape: 'VM.Standard2.2', quotaNames: ['standard2-core-count'] },
  { shape: 'VM.Standard.E4.Flex', quotaNames: ['standard-e4-core-count'] },
  { shape: 'VM.Standard.E5.Flex', quotaNames: ['standard-e5-core-count'] },
  { shape: 'BM.Standard.E4.128', quotaNames: ['standard-e4-core-count'] },
  { shape: 'VM.GPU3.1', quotaNames: ['gpu3-count'] },
  { shape: 'VM.GPU.A10.1', quotaNames: ['gpu-a10-count'] },
  { shape: 'VM.GPU.A10.2', quotaNames: ['gpu-a10-count'] },
  { shape: 'BM.GPU.A10.4', quotaNames: ['gpu-a10-count'] },
  { shape: 'BM.GPU4.8', quotaNames: ['gpu4-count'] },
  { shape: 'BM.GPU.H100.8', quotaNames: ['gpu-h100-count'] },
];

export const LIMITS: readonly (readonly [string, number])[] = [
  ['standard2-core-count', 50],
  ['standard-e4-core-count', 100],
  ['standard-e5-core-count', 100],
  ['gpu3-count', 2],
  ['gpu-a10-count', 4],
  ['gpu4-count', 8],
  ['gpu-h100-count', 8],
];
