import { readFileSync } from 'node:fs';
import * as enums from './enums.js';

const contract = JSON.parse(
  readFileSync(new URL('../../../../tools/contract/data/enums.json', import.meta.url), 'utf8'),
) as { enums: Record<string, Record<string, string>> };

const declared: Record<string, readonly string[]> = {
  AcceleratorVendor: enums.ACCELERATOR_VENDORS,
  ApplyAction: enums.APPLY_ACTIONS,
  BackendType: enums.BACKEND_TYPES,
  CPUArchitecture: enums.CPU_ARCHITECTURES,
  ComputeGroupStatus: enums.COMPUTE_GROUP_STATUSES,
  CreationPolicy: enums.CREATION_POLICIES,
  EventTargetType: enums.EVENT_TARGET_TYPES,
  FleetStatus: enums.FLEET_STATUSES,
  GatewayReplicaStatus: enums.GATEWAY_REPLICA_STATUSES,
  GatewayStatus: enums.GATEWAY_STATUSES,
  GlobalRole: enums.GLOBAL_ROLES,
  HealthStatus: enums.HEALTH_STATUSES,
  InstanceAvailability: enums.INSTANCE_AVAILABILITIES,
  InstanceGroupPlacement: enums.INSTANCE_GROUP_PLACEMENTS,
  InstanceRuntime: enums.INSTANCE_RUNTIMES,
  InstanceStatus: enums.INSTANCE_STATUSES,
  InstanceTerminationReason: enums.INSTANCE_TERMINATION_REASONS,
  JobStatus: enums.JOB_STATUSES,
  JobTerminationReason: enums.JOB_TERMINATION_REASONS,
  LogProducer: enums.LOG_PRODUCERS,
  NetworkMode: enums.NETWORK_MODES,
  ProjectRole: enums.PROJECT_ROLES,
  PythonVersion: enums.PYTHON_VERSIONS,
  RepoExistsAction: enums.REPO_EXISTS_ACTIONS,
  RepoType: enums.REPO_TYPES,
  RetryEvent: enums.RETRY_EVENTS,
  RouterType: enums.ROUTER_TYPES,
  RunConfigurationType: enums.RUN_CONFIGURATION_TYPES,
  RunStatus: enums.RUN_STATUSES,
  RunTerminationReason: enums.RUN_TERMINATION_REASONS,
  ServerClientErrorCode: enums.SERVER_CLIENT_ERROR_CODES,
  SpotPolicy: enums.SPOT_POLICIES,
  StartupOrder: enums.STARTUP_ORDERS,
  StopCriteria: enums.STOP_CRITERIA,
  TerminationPolicy: enums.TERMINATION_POLICIES,
  VastAIOfferOrder: enums.VASTAI_OFFER_ORDERS,
  VolumeStatus: enums.VOLUME_STATUSES,
};

it.each(Object.entries(declared))('%s has exactly the members of the contract', (name, members) => {
  expect(members).toEqual(Object.values(contract.enums[name] ?? {}));
});
