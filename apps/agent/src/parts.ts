/** What a program needs to try what the agent does with what it is sent, without a host. */
export { HostDoors } from './doors/host-doors.js';
export { extractTar } from './files/extract-tar.js';
export { UnsafeArchiveError } from './files/inside-root.js';
export { GpuLock } from './gpu/gpu-lock.js';
export { HostAgent } from './host/host-agent.js';
export { type JobRuntime, LaunchError } from './host/runtime.js';
export { AgentHttpServer } from './protocol/agent-http-server.js';
export { EpochGate } from './protocol/epoch-gate.js';
export { createLogEndpoint } from './ssh/log-endpoint.js';
