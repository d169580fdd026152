import type { MachineRef } from '@dstack/backend-base';

/** What is needed to find one pod of a cluster, and to end all of them. */
export interface ClusterData {
  readonly rank: number;
  /** The pod of this rank, once RunPod has said which it is. */
  readonly pod: string | null;
  /** All that the cluster was made with, as far as that was heard: each of them is seen off when it ends. */
  readonly pods: readonly string[];
}

export function writeData({ rank, pod, pods }: ClusterData): string {
  return JSON.stringify({ cluster: true, rank, pod, pods });
}

/** Lenient: a cluster must be ended whatever became of this text. Null: the machine is a pod of its own, or nothing is known. */
export function readData({ backendData }: Pick<MachineRef, 'backendData'>): ClusterData | null {
  if (backendData === null) return null;
  try {
    const read = JSON.parse(backendData) as Partial<Record<string, unknown>> | null; // each field is looked at below
    if (read?.cluster !== true) return null;
    const pods = Array.isArray(read.pods) ? read.pods.filter((id) => typeof id === 'string') : [];
    const rank = typeof read.rank === 'number' ? read.rank : 0;
    return { rank, pod: typeof read.pod === 'string' ? read.pod : null, pods };
  } catch {
    return null;
  }
}
