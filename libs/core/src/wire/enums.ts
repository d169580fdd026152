/** The closed value sets of the REST contract. A test holds them equal to the recorded contract. */

export const ACCELERATOR_VENDORS = ['nvidia', 'amd', 'google', 'intel', 'tenstorrent'] as const;
export type AcceleratorVendor = (typeof ACCELERATOR_VENDORS)[number];

export const APPLY_ACTIONS = ['create', 'update'] as const;
export type ApplyAction = (typeof APPLY_ACTIONS)[number];

export const BACKEND_TYPES = [
  'amddevcloud',
  'aws',
  'azure',
  'cloudrift',
  'crusoe',
  'cudo',
  'datacrunch',
  'digitalocean',
  'dstack',
  'gcp',
  'hotaisle',
  'jarvislabs',
  'kubernetes',
  'lambda',
  'remote',
  'nebius',
  'oci',
  'runpod',
  'tensordock',
  'vastai',
  'verda',
  'vultr',
  'slurm',
] as const;
export type BackendType = (typeof BACKEND_TYPES)[number];

export const CPU_ARCHITECTURES = ['x86', 'arm'] as const;
export type CPUArchitecture = (typeof CPU_ARCHITECTURES)[number];

export const COMPUTE_GROUP_STATUSES = ['running', 'terminated'] as const;
export type ComputeGroupStatus = (typeof COMPUTE_GROUP_STATUSES)[number];

export const CREATION_POLICIES = ['reuse', 'reuse-or-create'] as const;
export type CreationPolicy = (typeof CREATION_POLICIES)[number];

export const EVENT_TARGET_TYPES = [
  'project',
  'user',
  'fleet',
  'instance',
  'run',
  'job',
  'volume',
  'gateway',
  'secret',
] as const;
export type EventTargetType = (typeof EVENT_TARGET_TYPES)[number];

export const FLEET_STATUSES = ['submitted', 'active', 'terminating', 'terminated', 'failed'] as const;
export type FleetStatus = (typeof FLEET_STATUSES)[number];

export const GATEWAY_REPLICA_STATUSES = ['submitted', 'provisioning', 'running', 'terminating', 'terminated'] as const;
export type GatewayReplicaStatus = (typeof GATEWAY_REPLICA_STATUSES)[number];

export const GATEWAY_STATUSES = ['submitted', 'provisioning', 'running', 'failed'] as const;
export type GatewayStatus = (typeof GATEWAY_STATUSES)[number];

export const GLOBAL_ROLES = ['admin', 'user'] as const;
export type GlobalRole = (typeof GLOBAL_ROLES)[number];

export const HEALTH_STATUSES = ['healthy', 'warning', 'failure'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

export const INSTANCE_AVAILABILITIES = [
  'unknown',
  'available',
  'not_available',
  'no_quota',
  'no_balance',
  'idle',
  'busy',
] as const;
export type InstanceAvailability = (typeof INSTANCE_AVAILABILITIES)[number];

export const INSTANCE_GROUP_PLACEMENTS = ['any', 'cluster'] as const;
export type InstanceGroupPlacement = (typeof INSTANCE_GROUP_PLACEMENTS)[number];

export const INSTANCE_RUNTIMES = ['shim', 'runner'] as const;
export type InstanceRuntime = (typeof INSTANCE_RUNTIMES)[number];

export const INSTANCE_STATUSES = ['pending', 'provisioning', 'idle', 'busy', 'terminating', 'terminated'] as const;
export type InstanceStatus = (typeof INSTANCE_STATUSES)[number];

export const INSTANCE_TERMINATION_REASONS = [
  'terminated_by_user',
  'idle_timeout',
  'provisioning_timeout',
  'error',
  'job_finished',
  'unreachable',
  'no_offers',
  'master_failed',
  'max_instances_limit',
  'fleet_spec_mismatch',
  'no_balance',
] as const;
export type InstanceTerminationReason = (typeof INSTANCE_TERMINATION_REASONS)[number];

export const JOB_STATUSES = [
  'submitted',
  'provisioning',
  'pulling',
  'running',
  'terminating',
  'terminated',
  'aborted',
  'failed',
  'done',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const JOB_TERMINATION_REASONS = [
  'failed_to_start_due_to_no_capacity',
  'interrupted_by_no_capacity',
  'instance_unreachable',
  'instance_access_revoked',
  'waiting_instance_limit_exceeded',
  'waiting_runner_limit_exceeded',
  'terminated_by_user',
  'volume_error',
  'gateway_error',
  'scaled_down',
  'done_by_runner',
  'aborted_by_user',
  'terminated_by_server',
  'inactivity_duration_exceeded',
  'terminated_due_to_utilization_policy',
  'container_exited_with_error',
  'ports_binding_failed',
  'creating_container_error',
  'executor_error',
  'max_duration_exceeded',
  'log_quota_exceeded',
] as const;
export type JobTerminationReason = (typeof JOB_TERMINATION_REASONS)[number];

export const LOG_PRODUCERS = ['runner', 'job'] as const;
export type LogProducer = (typeof LOG_PRODUCERS)[number];

export const NETWORK_MODES = ['host', 'bridge'] as const;
export type NetworkMode = (typeof NETWORK_MODES)[number];

export const PROJECT_ROLES = ['admin', 'manager', 'user'] as const;
export type ProjectRole = (typeof PROJECT_ROLES)[number];

export const PYTHON_VERSIONS = ['3.9', '3.10', '3.11', '3.12', '3.13', '3.14'] as const;
export type PythonVersion = (typeof PYTHON_VERSIONS)[number];

export const REPO_EXISTS_ACTIONS = ['error', 'skip'] as const;
export type RepoExistsAction = (typeof REPO_EXISTS_ACTIONS)[number];

export const REPO_TYPES = ['remote', 'local', 'virtual'] as const;
export type RepoType = (typeof REPO_TYPES)[number];

export const RETRY_EVENTS = ['no-capacity', 'interruption', 'error'] as const;
export type RetryEvent = (typeof RETRY_EVENTS)[number];

export const ROUTER_TYPES = ['sglang', 'dynamo'] as const;
export type RouterType = (typeof ROUTER_TYPES)[number];

export const RUN_CONFIGURATION_TYPES = ['dev-environment', 'task', 'service'] as const;
export type RunConfigurationType = (typeof RUN_CONFIGURATION_TYPES)[number];

export const RUN_STATUSES = [
  'pending',
  'submitted',
  'provisioning',
  'running',
  'terminating',
  'terminated',
  'failed',
  'done',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const RUN_TERMINATION_REASONS = [
  'all_jobs_done',
  'job_failed',
  'retry_limit_exceeded',
  'stopped_by_user',
  'aborted_by_user',
  'server_error',
  'gateway_error',
] as const;
export type RunTerminationReason = (typeof RUN_TERMINATION_REASONS)[number];

export const SERVER_CLIENT_ERROR_CODES = [
  'error',
  'resource_exists',
  'resource_not_exists',
  'invalid_credentials',
  'backend_not_available',
  'repo_does_not_exist',
  'gateway_error',
] as const;
export type ServerClientErrorCode = (typeof SERVER_CLIENT_ERROR_CODES)[number];

export const SPOT_POLICIES = ['spot', 'on-demand', 'auto'] as const;
export type SpotPolicy = (typeof SPOT_POLICIES)[number];

export const STARTUP_ORDERS = ['any', 'master-first', 'workers-first'] as const;
export type StartupOrder = (typeof STARTUP_ORDERS)[number];

export const STOP_CRITERIA = ['all-done', 'master-done'] as const;
export type StopCriteria = (typeof STOP_CRITERIA)[number];

export const TERMINATION_POLICIES = ['dont-destroy', 'destroy-after-idle'] as const;
export type TerminationPolicy = (typeof TERMINATION_POLICIES)[number];

export const VASTAI_OFFER_ORDERS = ['score', 'price'] as const;
export type VastAIOfferOrder = (typeof VASTAI_OFFER_ORDERS)[number];

export const VOLUME_STATUSES = ['submitted', 'provisioning', 'active', 'failed'] as const;
export type VolumeStatus = (typeof VOLUME_STATUSES)[number];
