import { csvRows } from '../gpu/tool-value.js';
import { failure, type Incident } from './incident.js';

/** Known since driver 565. In a query of its own: an older tool refuses all of a query for one field that it does not know. */
export const NVIDIA_RECOVERY_ARGS = ['--query-gpu=index,gpu_recovery_action', '--format=csv,noheader'] as const;

const ACTION = /reset|reboot|drain/i;

/** What the driver wants done before a device is used again; DCGM finds nothing wrong with such a device. */
export function judgeNvidiaRecovery(text: string): Incident[] {
  return csvRows(text).flatMap(([index = '', action = '']) => {
    if (!/^\d+$/.test(index) || !ACTION.test(action)) return [];
    return [failure(`GPU ${index}: its driver wants it recovered: ${action}`)];
  });
}
