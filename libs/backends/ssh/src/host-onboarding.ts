import type { AgentInfo } from '@dstack/agent-protocol';
import type { SshConnection } from '@dstack/ssh';

export type OnboardingStep = 'connect' | 'check' | 'upload' | 'start' | 'inspect';

export interface OnboardRequest {
  readonly connection: SshConnection;
  /** For messages: the host as the user wrote it. */
  readonly hostname: string;
  /** Folder of the agent (apps/agent/dist/folder) on the server's machine. */
  readonly agentFolder: string;
  /** `env` of the fleet: reaches the agent and its jobs. */
  readonly env: Readonly<Record<string, string>>;
  readonly onProgress: (step: OnboardingStep, message: string) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export interface OnboardedHost {
  /** Socket of the host agent, for `connection.openUnix`. */
  readonly agentSocketPath: string;
  readonly info: AgentInfo;
}

export type HostProblem =
  | 'not-linux'
  | 'unsupported-architecture'
  | 'no-sudo'
  | 'no-runtime'
  | 'disk-full'
  | 'clock-off'
  | 'mixed-gpus'
  | 'upload-failed'
  | 'agent-failed';

/** `lasting`: the same next time unless somebody changes the host; the message says what to do. */
export class HostOnboardingError extends Error {
  override readonly name = 'HostOnboardingError';
  constructor(
    readonly problem: HostProblem,
    readonly lasting: boolean,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
