import type { Wire } from '@dstack/core';
import { formatBackend } from './backend.js';
import { instanceLabel, instanceTrouble, isFailed } from './instance-trouble.js';

/** One instance of a fleet that is waited for. */
export interface InstanceLine {
  readonly key: string;
  readonly text: string;
  readonly isSettled: boolean;
}

const UNSETTLED: readonly Wire.InstanceStatus[] = ['pending', 'provisioning', 'terminating'];

/** How far each instance has come: `lab-0 (10.0.0.5): uploading the agent, 40 %`. Pure. */
export function instanceLines(fleet: Wire.Fleet): InstanceLine[] {
  return [...fleet.instances]
    .sort((a, b) => a.instance_num - b.instance_num)
    .map((instance) => ({
      key: instance.id,
      text: `${instanceLabel(instance)}: ${stateText(instance)}`,
      isSettled: !UNSETTLED.includes(instance.status),
    }));
}

function stateText(instance: Wire.Instance): string {
  const trouble = instanceTrouble(instance).join('; ');
  if (isFailed(instance)) return `cannot be used: ${trouble}`;
  if (instance.status === 'terminating') return `being removed${trouble === '' ? '' : `: ${trouble}`}`;
  if (instance.status === 'idle' || instance.status === 'busy') return 'ready';
  if (trouble !== '') return trouble;
  const { backend, region, status } = instance;
  return backend && region ? `${status}, ${formatBackend({ ...instance, backend, region })}` : status;
}
