import { toWireBackend, type Wire } from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';

/** How clients see the machine of a job. `ssh_port` and `username` follow when the job's own SSH server listens. */
export function provisioningDataOf(instance: InstanceRecord): Wire.JobProvisioningData {
  const isLocal = instance.backendType === 'local';
  const { machine } = instance;
  return {
    backend: toWireBackend(instance.backendType ?? 'local'),
    base_backend: null,
    instance_type: instance.offer?.instance ?? EMPTY_TYPE,
    instance_id: machine?.ref.machineId ?? instance.cloudName ?? instance.name,
    hostname: isLocal ? '127.0.0.1' : (machine?.hostname ?? null),
    internal_ip: isLocal ? '127.0.0.1' : (machine?.internalIp ?? null),
    public_ip_enabled: true,
    instance_network: null,
    region: instance.region ?? '',
    availability_zone: instance.zone,
    reservation: null,
    price: instance.price ?? 0,
    username: 'root',
    ssh_port: null,
    dockerized: !isLocal,
    ssh_proxy: null,
    backend_data: null,
    gpu_driver: null,
  };
}

const EMPTY_TYPE: Wire.InstanceType = {
  name: 'instance',
  resources: { cpus: 0, memory_mib: 0, gpus: [], spot: false, disk: { size_mib: 0 }, cpu_arch: null, description: '' },
};
