import type * as Wire from '../wire/generated/api.js';

type Accelerators = Wire.Resources['gpus'];

/** How many devices the agent is to hand to the job. Of a TPU it finds none: the job gets the whole machine. */
export function devicesToLock(gpus: Accelerators): number {
  return gpus.filter((gpu) => !isTpu(gpu)).length;
}

/** What the agent of a cloud's machine must be told of its accelerators, since it cannot find it out. */
export function acceleratorEnvironment(gpus: Accelerators): Readonly<Record<string, string>> {
  return gpus.some(isTpu) ? { DSTACK_AGENT_PJRT_DEVICE: 'TPU' } : {};
}

/** What a job is told of them: JAX and PyTorch look for a TPU where this names one. */
export function acceleratorJobEnvironment(gpus: Accelerators): Readonly<Record<string, string>> {
  return gpus.some(isTpu) ? { PJRT_DEVICE: 'TPU' } : {};
}

function isTpu({ vendor }: Accelerators[number]): boolean {
  return vendor === 'google';
}
