import type { Pod } from './schema.js';

export type PodState =
  | { readonly state: 'running'; readonly ip: string }
  | { readonly state: 'starting'; readonly reason: string }
  /** The cluster has no room. */
  | { readonly state: 'unschedulable'; readonly message: string }
  | { readonly state: 'failed'; readonly message: string }
  | { readonly state: 'gone' };

/** None of these gets better by waiting as long as a job does. */
const HOPELESS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

export function podState({ metadata, status }: Pod): PodState {
  if (metadata.deletionTimestamp) return { state: 'gone' };
  const { phase, podIP } = status;
  if (phase === 'Succeeded' || phase === 'Failed') return { state: 'failed', message: whyEnded(status) };
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  for (const { name, state } of statuses) {
    const { reason, message } = state?.waiting ?? {};
    if (reason && HOPELESS.has(reason))
      return { state: 'failed', message: `container ${name}: ${[reason, message].filter(Boolean).join(': ')}` };
  }
  if (phase === 'Running' && podIP) return { state: 'running', ip: podIP };
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable')
    return { state: 'unschedulable', message: scheduled.message ?? 'the cluster has no room for the pod' };
  const waiting = statuses.find(({ state }) => state?.waiting?.reason)?.state?.waiting?.reason;
  return { state: 'starting', reason: waiting ?? (scheduled?.status === 'True' ? 'scheduled' : 'waits for a node') };
}

/** Eviction has its reason in the status of the pod, everything else in that of the container. */
function whyEnded({ reason, message, containerStatuses, initContainerStatuses }: Pod['status']): string {
  if (reason) return [reason, message].filter(Boolean).join(': ');
  const ended = [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])].find(
    ({ state }) => state?.terminated && state.terminated.exitCode !== 0,
  );
  const terminated = ended?.state?.terminated;
  if (!terminated) return 'the container ended';
  const said = terminated.message ? `: ${terminated.message}` : '';
  return `container ${ended?.name} ended with ${terminated.exitCode} (${terminated.reason ?? 'Error'})${said}`;
}
