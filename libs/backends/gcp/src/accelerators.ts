const GIB = 1024;

/** Google's names of GPUs that are added to a machine. */
const ATTACHED: Readonly<Record<string, string>> = {
  T4: 'nvidia-tesla-t4',
  V100: 'nvidia-tesla-v100',
  P100: 'nvidia-tesla-p100',
};

export function acceleratorName(gpu: string): string | null {
  return ATTACHED[gpu] ?? null;
}

/** Of which regions tell how many an account may have; of the newest they tell nothing. */
const COUNTED: ReadonlySet<string> = new Set(['A100', 'L4', 'T4', 'V100', 'P100']);

/** The name of the limit of a region; null: Google has it in another place, or there is none. */
export function quotaMetric(
  gpu: { readonly name: string; readonly memoryMib: number },
  isSpot: boolean,
): string | null {
  if (!COUNTED.has(gpu.name)) return null;
  const name = gpu.name === 'A100' && gpu.memoryMib > 40 * GIB ? 'A100_80GB' : gpu.name;
  return `${isSpot ? 'PREEMPTIBLE_' : ''}NVIDIA_${name}_GPUS`;
}
