import { DOOR_USER } from '@dstack/agent-protocol';
import { kindOfOffer, toWireBackend, type Wire } from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';

/** How clients see the machine of a job. Of the server's own machine, `ssh_port` and `username` follow when the job's SSH server listens. */
export function provisioningDataOf(instance: InstanceRecord): Wire.JobProvisioningData {
  const isLocal = instance.backendType === 'local';
  const isContainer = kindOfOffer(instance.offer) === 'containers';
  const { machine } = instance;
  const ssh = machine?.agent?.via === 'ssh' ? machine.agent : null;
  const jump = ssh?.jump ?? null;
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
    username: ssh === null || isContainer ? 'root' : DOOR_USER,
    ssh_port: ssh?.port ?? null,
    dockerized: !isLocal && !isContainer,
    ssh_proxy: jump === null ? null : { hostname: jump.host, port: jump.port, username: jump.user },
    backend_data: null,
    gpu_driver: null,
  };
}

const EMPTY_TYPE: Wire.InstanceType = {
  name: 'instance',
  resources: { cpus: 0, memory_mib: 0, gpus: [], spot: false, disk: { size_mib: 0 }, cpu_arch: null, description: '' },
};
