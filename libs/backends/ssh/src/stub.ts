import type { AgentBundle } from './agent-bundle.js';
import type { HostRequest, OnboardedHost, OnboardRequest } from './host-request.js';
export declare function onboardHost(request: OnboardRequest): Promise<OnboardedHost>;
export declare function ensureAgent(request: HostRequest): Promise<void>;
export declare function replaceAgent(request: HostRequest & Pick<OnboardRequest, 'bundle' | 'onProgress'>): Promise<{ agentDigest: string }>;
export declare function removeAgent(request: HostRequest): Promise<void>;
export declare function packAgentFolder(options: { folder: string; cacheDir: string; arch: 'x86'|'arm'; version: string; signal: AbortSignal }): Promise<AgentBundle>;
