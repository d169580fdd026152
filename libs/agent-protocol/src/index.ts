export { type AgentApi, AgentRequestError, AgentUnreachableError, StaleEpochError } from './agent-api.js';
export { type AgentClientOptions, createAgentClient, HttpAgentClient } from './http-agent-client.js';
export { joinStreams } from './join-streams.js';
export { parseJobStart } from './job-start-schema.js';
export type { AgentInfo, GpuFact, GpuVendor, HostFacts, RuntimeFact } from './agent-info.js';
export type {
  AgentErrorBody,
  ControlEvent,
  DesiredJobs,
  DesiredReply,
  PowerOffOrder,
  HostHealth,
  JobMetrics,
} from './control-event.js';
export { DOOR_HOME, DOOR_USER } from './job-start.js';
export type {
  ClusterSpec,
  ContainerSpec,
  FileSetup,
  HostDoor,
  JobStart,
  Mount,
  RepoSetup,
  SshSpec,
} from './job-start.js';
export type { JobEndReason, JobPhase, JobState, LogStream, PullProgress, StopRequest } from './job-state.js';
export { encodeLogFrame, encodeLogFrameHeader, type LogFrame, LogFrameDecoder } from './log-frame.js';
export { commonProtocol, EPOCH_HEADER, PROTOCOL, type ProtocolRange } from './version.js';
export { ConnectorAgent } from './agent-connector.js';
