import { randomUUID } from 'node:crypto';
import type { ContainerSpec, JobStart } from '@dstack/agent-protocol';
import { processJob } from '../support/job-builder.js';
import { BUSYBOX_IMAGE } from './engine.js';

export function containerJob(overrides: Partial<JobStart> = {}, container: Partial<ContainerSpec> = {}): JobStart {
  return {
    ...processJob('true'),
    id: randomUUID(),
    runtime: 'container',
    container: { image: BUSYBOX_IMAGE, privileged: false, network: 'host', mounts: [], ...container },
    ...overrides,
  };
}
