import type { Duplex } from 'node:stream';
import type { PtyOptions, PtyProcess } from '../process/pty.js';

/** Whose shell it is, and where it begins. */
export interface SessionPlace {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly shell: string;
  readonly home: string;
  /** Unset: the identity of this process. */
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
}

export interface JobLogs {
  /** Raw terminal bytes from `startTime` (epoch ms; unset: all there is), then live; ends with the job or by `signal`. */
  tail(startTime?: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The agent's own protocol, where this server is the only way in. */
export interface AgentEndpoint {
  readonly socketPath: string;
  serve(stream: Duplex): void;
}

/** Keys that reach one port of the job, and nothing else. */
export interface PortDoor {
  readonly authorizedKeys: readonly string[];
  readonly port: number;
}

export interface JobSshOptions {
  /** Made at the first start, kept over restarts: clients pin it. */
  readonly hostKeyFile: string;
  readonly authorizedKeys: readonly string[] | (() => readonly string[]);
  readonly listen: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  /** Undefined until the job has one: there is nobody to log in as. */
  readonly session: SessionPlace | (() => SessionPlace | undefined);
  readonly openPty: (options: PtyOptions) => PtyProcess;
  readonly logs: JobLogs;
  readonly log: (line: string) => void;
  /** argv of this agent's `ssh-child` command. */
  readonly childCommand: readonly string[];
  readonly version: string;
  readonly now: () => number;
  /** Keys that may reach `agent` too. */
  readonly agentKeys?: readonly string[];
  readonly agent?: AgentEndpoint;
  /** The only directory where clients may have unix sockets made for them; unset: none. */
  readonly socketDir?: string;
  /** For whoever is neither the job's nor the agent's; undefined while it is closed. */
  readonly door?: () => PortDoor | undefined;
  readonly onConnectionClosed?: (connection: SshConnectionInfo) => void;
}

export interface SshConnectionInfo {
  readonly openedAt: number;
  /** SHA-256 fingerprint of the key that opened it. */
  readonly key: string;
}

export interface RunningJobSsh {
  /** null on a unix socket. */
  readonly port: number | null;
  close(): Promise<void>;
  /** Of those who may work in the job or reach the agent. */
  connections(): readonly SshConnectionInfo[];
  /** Ends the connections of all who came in by the door. */
  dismissVisitors(): void;
}
