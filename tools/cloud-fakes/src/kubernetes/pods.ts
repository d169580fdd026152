import type { FakeNode } from './nodes.js';
import { nodeObject } from './nodes.js';
import type { Objects, Stored } from './objects.js';
import type { PodRunner } from './pod-runner.js';
import type { PodSpec } from './pod-spec.js';
import { requestsOf, schedule } from './scheduler.js';

/** Schedules pods and has them run. */
export class Pods {
  constructor(
    private readonly objects: Objects,
    private readonly nodes: readonly FakeNode[],
    private readonly runner: PodRunner,
  ) {}

  /** The scheduler's verdict comes a moment after the answer. */
  created(pod: Stored): void {
    pod.status = { phase: 'Pending', qosClass: 'Burstable' };
    setImmediate(() => this.place(pod));
  }

  /** True: it is being stopped. */
  deleted(pod: Stored): boolean {
    if (specOf(pod).nodeName === undefined) return false;
    if (pod.metadata.deletionTimestamp !== undefined) return true;
    pod.metadata.deletionTimestamp = new Date().toISOString().replace(/\.\d+/, '');
    this.objects.touch(pod);
    void this.runner.stop(pod).finally(() => this.objects.remove('pods', pod));
    return true;
  }

  private place(pod: Stored): void {
    if (this.objects.get('pods', pod.metadata.namespace ?? '', pod.metadata.name) !== pod) return;
    const spec = specOf(pod);
    const labelled = this.nodes.map((node) => ({ ...node, labels: labelsOf(node) }));
    const verdict = schedule(spec, labelled, (node) => this.used(node, pod));
    if ('message' in verdict) {
      this.status(pod, { conditions: [scheduled('False', 'Unschedulable', verdict.message)] });
      return;
    }
    spec.nodeName = verdict.node;
    this.status(pod, { conditions: [scheduled('True')] });
    void this.run(pod);
  }

  private async run(pod: Stored): Promise<void> {
    const secret = (name: string): Record<string, string> | undefined => {
      const found = this.objects.get('secrets', pod.metadata.namespace ?? '', name);
      const data = Object.entries((found?.['data'] ?? {}) as Record<string, string>);
      return found && Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
    };
    const [name = ''] = specOf(pod).containers.map((container) => container.name);
    const base = { name, image: '', imageID: '', restartCount: 0 };
    try {
      const { ip, ended } = await this.runner.start(pod, secret);
      const ready = { type: 'Ready', status: 'True' };
      const running = { ...base, ready: true, state: { running: {} } };
      this.status(pod, { phase: 'Running', podIP: ip, conditions: [scheduled('True'), ready], containerStatuses: [running] }); // prettier-ignore
      const exitCode = await ended;
      if (exitCode === undefined) return;
      const state = { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } };
      const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
      this.status(pod, { phase, podIP: ip, containerStatuses: [{ ...base, ready: false, state }] });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const waiting = { reason: /image/i.test(message) ? 'ErrImagePull' : 'CreateContainerError', message };
      this.status(pod, { conditions: [scheduled('True')], containerStatuses: [{ ...base, ready: false, state: { waiting } }] }); // prettier-ignore
    }
  }

  private status(pod: Stored, status: Record<string, unknown>): void {
    pod.status = { phase: 'Pending', ...status };
    this.objects.touch(pod);
  }

  private used(node: string, except: Stored): Readonly<Record<string, number>> {
    const total: Record<string, number> = {};
    for (const pod of this.objects.list('pods', null)) {
      const phase = pod.status?.['phase'];
      if (pod === except || specOf(pod).nodeName !== node || phase === 'Succeeded' || phase === 'Failed') continue;
      for (const [name, amount] of Object.entries(requestsOf(specOf(pod)))) total[name] = (total[name] ?? 0) + amount;
    }
    return total;
  }
}

function specOf(pod: Stored): PodSpec {
  return pod.spec as unknown as PodSpec; // its shape was checked when it came in
}

function labelsOf(node: FakeNode): Record<string, string> {
  return (nodeObject(node) as Stored).metadata.labels ?? {};
}

function scheduled(status: string, reason?: string, message?: string): object {
  return { type: 'PodScheduled', status, ...(reason === undefined ? {} : { reason, message }) };
}
