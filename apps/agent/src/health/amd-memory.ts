import { z } from 'zod';
import { parseToolJson, toolNumber } from '../gpu/tool-value.js';
import { failure, type Incident, warning } from './incident.js';

export const AMD_ECC_ARGS = ['metric', '--ecc', '--json'] as const;

const count = z.union([z.number(), z.string()]).optional();
const device = z.object({ gpu: z.number().int(), ecc: z.object({ total_uncorrectable_count: count }) });
/** ROCm 6 prints the devices, ROCm 7 an object around them. */
const printed = z.union([z.array(z.unknown()), z.object({ gpu_data: z.array(z.unknown()) })]);

export function judgeAmdEcc(text: string): Incident[] {
  const parsed = printed.safeParse(parseToolJson(text));
  if (!parsed.success) return [];
  const entries = Array.isArray(parsed.data) ? parsed.data : parsed.data.gpu_data;
  return entries.flatMap((entry) => {
    const { data } = device.safeParse(entry);
    const errors = toolNumber(String(data?.ecc.total_uncorrectable_count ?? '')) ?? 0;
    if (data === undefined || errors === 0) return [];
    return [
      failure(`GPU ${data.gpu}: ${errors} uncorrectable memory errors since its driver was loaded; reset the GPU`),
    ];
  });
}

/** @param text of the kernel's `ras/gpu_vram_bad_pages`: address, size, and R (reserved), P (pending) or F (could not be reserved) */
export function judgeAmdBadPages(text: string, gpu: string): Incident[] {
  const flags = text.split('\n').map((line) => /:\s*([RPF])\s*$/.exec(line)?.[1]);
  if (flags.includes('F')) return [failure(`${gpu}: bad memory pages could not be reserved; replace the GPU`)];
  if (flags.includes('P')) return [warning(`${gpu}: bad memory pages wait for a reset of the GPU to be reserved`)];
  return [];
}
