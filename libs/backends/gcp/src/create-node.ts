import { runtimeVersion } from './tpu-types.js';

export interface NodePlan {
  readonly type: string;
  readonly isSpot: boolean;
  readonly network: string;
  readonly subnetwork: string | null;
  readonly publicIps: boolean;
  readonly targetTag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly steps: readonly string[];
  readonly authorizedKeys: readonly string[];
  readonly serviceAccount: string | null;
  /** Paths of disks. */
  readonly dataDisks: readonly string[];
}

/** The body of `nodes.create`. */
export function nodeBody(plan: NodePlan): object {
  return {
    acceleratorType: plan.type,
    runtimeVersion: runtimeVersion(plan.type),
    networkConfig: {
      network: plan.network,
      ...(plan.subnetwork === null ? {} : { subnetwork: plan.subnetwork }),
      enableExternalIps: plan.publicIps,
    },
    schedulingConfig: plan.isSpot ? { spot: true } : {},
    labels: plan.labels,
    tags: [plan.targetTag],
    metadata: {
      'ssh-keys': plan.authorizedKeys.map((key) => `ubuntu:${key.trim()}`).join('\n'),
      // There is no cloud-init: Google's own agent runs this, at every start.
      'startup-script': `#!/bin/bash\n${plan.steps.join('\n')}\n`,
    },
    ...(plan.serviceAccount === null
      ? {}
      : {
          serviceAccount: {
            email: plan.serviceAccount,
            scope: ['https://www.googleapis.com/auth/cloud-platform'],
          },
        }),
    ...(plan.dataDisks.length === 0 ? {} : { dataDisks: plan.dataDisks.map(dataDisk) }),
  };
}

export function dataDisk(sourceDisk: string): { sourceDisk: string; mode: 'READ_WRITE' } {
  return { sourceDisk, mode: 'READ_WRITE' };
}
