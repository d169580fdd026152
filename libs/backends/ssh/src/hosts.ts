export type { AgentBundle } from './agent-bundle.js';
export { HostProblemError, type HostProblem } from './host-problem.js';
export type { HostRequest, OnboardedHost, OnboardingStep, OnboardRequest } from './host-request.js';
export { onboardHost, ensureAgent, replaceAgent, removeAgent, packAgentFolder } from './stub.js';
