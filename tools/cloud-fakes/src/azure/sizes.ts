import { ArmRefusal } from './arm-answer.js';

export interface FakeSize {
  readonly name: string;
  /** Of the quota. */
  readonly family: string;
  readonly cpus: number;
}

const size = (name: string, family: string, cpus: number): FakeSize => ({ name: `Standard_${name}`, family, cpus });

/** Hand-made, in the form of the API's own examples. */
export const SIZES: readonly FakeSize[] = [
  size('B1ms', 'standardBSFamily', 1),
  size('B2s', 'standardBSFamily', 2),
  size('D2s_v6', 'standardDsv6Family', 2),
  size('D4s_v6', 'standardDsv6Family', 4),
  size('E2s_v6', 'standardEsv6Family', 2),
  size('F2s_v2', 'standardFSv2Family', 2),
  size('F4s_v2', 'standardFSv2Family', 4),
  size('NC4as_T4_v3', 'Standard NCASv3_T4 Family', 4),
  size('NV36ads_A10_v5', 'StandardNVADSA10v5Family', 36),
  size('NC6s_v3', 'standardNCSv3Family', 6),
  size('NC24ads_A100_v4', 'StandardNCADSA100v4Family', 24),
  size('ND96isr_H200_v5', 'standardNDSH200v5Family', 96),
];

export function quotaRefusal(
  { name, family, cpus }: FakeSize,
  isSpot: boolean,
  limit: number,
  location: string,
): ArmRefusal {
  const what = isSpot ? 'LowPriorityCores' : `${family} Cores`;
  const text =
    `Operation could not be completed as it results in exceeding approved ${what} quota. Additional details - Deployment Model: ` +
    `Resource Manager, Location: ${location}, Current Limit: ${limit}, Current Usage: 0, Additional Required: ${cpus}, (Minimum) New Limit Required: ${cpus} (${name}).`;
  return new ArmRefusal(409, 'OperationNotAllowed', text);
}
