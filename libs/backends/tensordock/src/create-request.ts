import { createHash } from 'node:crypto';
import { ADD_NVIDIA_RUNTIME, type Attempt, INSTALL_DOCKER, KEEP_GPUS_ON_RELOAD } from '@dstack/backend-base';
import type { ParsedType } from './offers.js';

export interface CreateRequest {
  readonly data: {
    readonly type: 'virtualmachine';
    readonly attributes: {
      readonly name: string;
      readonly type: 'virtualmachine';
      readonly image: string;
      readonly location_id: string;
      readonly useDedicatedIp: true;
      readonly resources: {
        readonly vcpu_count: number;
        readonly ram_gb: number;
        readonly storage_gb: number;
        readonly gpus: Readonly<Record<string, { readonly count: number }>>;
      };
      readonly ssh_key: string;
      readonly cloud_init: { readonly runcmd: readonly string[] };
    };
  };
}

/** The owner is part of the name: TensorDock keeps no tags. */
export function ownName({ cloudName, owner }: Pick<Attempt, 'cloudName' | 'owner'>): string {
  return `${cloudName}-${ownerMark(owner)}`;
}

const MARK_LENGTH = 8;

export function ownerMark(owner: string): string {
  return createHash('sha256').update(owner).digest('hex').slice(0, MARK_LENGTH);
}

/** The name that the server gave, of a machine of this owner; null: it is somebody else's. */
export function cloudNameOf(name: string, owner: string): string | null {
  const end = `-${ownerMark(owner)}`;
  return name.endsWith(end) ? name.slice(0, -end.length) : null;
}

export function createRequest(attempt: Attempt, { location, model, size }: ParsedType, key: string): CreateRequest {
  return {
    data: {
      type: 'virtualmachine',
      attributes: {
        name: ownName(attempt),
        type: 'virtualmachine',
        image: 'ubuntu2404',
        location_id: location,
        useDedicatedIp: true,
        resources: {
          vcpu_count: size.vcpus,
          ram_gb: size.ramGb,
          storage_gb: size.storageGb,
          gpus: { [model]: { count: size.gpus } },
        },
        ssh_key: key,
        cloud_init: { runcmd: [INSTALL_DOCKER, ADD_NVIDIA_RUNTIME, KEEP_GPUS_ON_RELOAD] },
      },
    },
  };
}
