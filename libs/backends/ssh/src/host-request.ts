import type { AgentInfo } from '@dstack/agent-protocol';
import type { SshConnection } from '@dstack/ssh';
import type { AgentBundle } from './agent-bundle.js';

/** What every call about a host is given. */
export interface HostRequest {
  readonly connection: SshConnection;
  /** For messages: the host as the user wrote it. */
  readonly hostname: string;
  /** The installation that owns the agent; another installation's agent is never touched. */
  readonly owner: string;
  /** The instance that the host is for. Once it was let go for this one, nothing is put on it for this one any more. */
  readonly instance: string;
  readonly signal: AbortSignal;
}

export type OnboardingStep = 'connect' | 'check' | 'upload' | 'start' | 'inspect';

export interface OnboardRequest extends HostRequest {
  /** Undefined: this server has no agent for the architecture. */
  readonly bundle: (arch: 'x86' | 'arm') => Promise<AgentBundle | undefined>;
  /** `env` of the fleet, for the agent itself (proxies); jobs get it from the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly onProgress: (step: OnboardingStep, detail: string) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface OnboardedHost {
  /** Socket of the host agent, for `connection.openUnix`. */
  readonly agentSocketPath: string;
  readonly agentDigest: string;
  readonly info: AgentInfo;
}
