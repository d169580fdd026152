export { BackendError, isBackendError, statusText } from './backend-error.js';
export { callSignal, withinCall, type Call } from './call.js';
export { NO_CAPABILITIES, type Capabilities, type Idempotency } from './capabilities.js';
export {
  ADD_NVIDIA_RUNTIME,
  cloudConfig,
  type CloudConfig,
  INSTALL_DOCKER,
  KEEP_GPUS_ON_RELOAD,
} from './cloud-config.js';
export {
  type AgentArchive,
  CONTAINER_AGENT_SOCKET,
  CONTAINER_EXIT,
  CONTAINER_SSH_PORT,
  containerCommand,
  containerCommandWithAgent,
} from './container-command.js';
export type { Compute, OfferQuery } from './compute.js';
export type { BackendDefinition, BackendEnvironment, BackendModule, ConfigIssue } from './definition.js';
export { Kept } from './kept.js';
export {
  type MachineImageKind,
  machineImageName,
  type MachineImages,
  PUBLISHED_MACHINE_IMAGES,
} from './machine-images.js';
export { KeptTable } from './offers/kept-table.js';
export { KeyedLock } from './keyed-lock.js';
export type { Failure, FailureKind, FailureScope } from './failure.js';
export type {
  AgentAddress,
  Attempt,
  ContainerStart,
  HostLogin,
  ListedMachine,
  MachineRef,
  MachineState,
  Termination,
} from './machine.js';
export type {
  BalancerRef,
  BalancerRequest,
  BalancerState,
  BalancerSupport,
  CloudVolume,
  ListedVolume,
  GatewaySupport,
  GroupSupport,
  PlacementGroupSupport,
  VolumeConfiguration,
  VolumeSupport,
} from './optional-members.js';
export { Survey, type SurveyOptions } from './survey.js';
