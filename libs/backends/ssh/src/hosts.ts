export type { AgentBundle } from './agent-bundle.js';
export { ensureAgent } from './ensure-agent.js';
export { hostPaths, type HostPaths } from './host-paths.js';
export { HostProblemError, type HostProblem } from './host-problem.js';
export type { HostRequest, OnboardedHost, OnboardingStep, OnboardRequest } from './host-request.js';
export { onboardHost } from './onboard-host.js';
export { packAgentFolder, type PackRequest } from './pack-agent-folder.js';
export { removeAgent } from './remove-agent.js';
export { replaceAgent, type ReplaceRequest } from './replace-agent.js';
