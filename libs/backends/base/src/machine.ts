import type { Offer } from '@dstack/core';
import type { AgentArchive } from './container-command.js';

/**
 * One try to create one machine. It is durable before the call: a repeat with the same token and name is the same
 * attempt and must not make a second machine.
 */
export interface Attempt {
  readonly token: string;
  /** The machine's name in the cloud, never used before. */
  readonly cloudName: string;
  /** The installation that owns the machine: the `dstack_server` tag. */
  readonly owner: string;
  readonly project: string;
  readonly user: string;
  readonly instanceName: string;
  readonly offer: Offer;
  readonly zone: string | null;
  readonly reservation: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** OpenSSH lines allowed to log in to the host. */
  readonly authorizedKeys: readonly string[];
  /** Ids of network volumes that the backend can only bind at creation. */
  readonly volumeIds: readonly string[];
  readonly placementGroup: string | null;
  /** `hosts`: the boot script. Never holds a secret. */
  readonly userData: string | null;
  /** `containers`: what to run. */
  readonly container: ContainerStart | null;
}

export interface ContainerStart {
  readonly image: string;
  readonly registryAuth: { readonly username: string; readonly password: string } | null;
  /** In the place of the image's own entry point and command: fetches the agent and runs it. */
  readonly command: readonly string[];
  /** For backends that bring the agent into the container by themselves (`containerCommandWithAgent`). */
  readonly agent: AgentArchive;
  /** Nothing secret: providers show start commands and environments in their consoles. */
  readonly env: Readonly<Record<string, string>>;
  /** Network volumes, and where the job wants them; those that a backend binds when it creates the container. */
  readonly mounts: readonly { readonly volumeId: string; readonly path: string }[];
  readonly privileged: boolean;
  readonly shmSizeBytes: number | null;
}

/** All a backend needs to find a machine again. `backendData` is opaque text of that backend; read it leniently. */
export interface MachineRef {
  readonly cloudName: string;
  /** The cloud's own id; null while only the name is known. */
  readonly machineId: string | null;
  readonly region: string;
  readonly zone: string | null;
  readonly backendData: string | null;
}

/** Where the server reaches the agent of a machine. */
export type AgentAddress =
  | { readonly via: 'unix'; readonly socketPath: string }
  | {
      readonly via: 'ssh';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      /** Type and public key, as in a line of OpenSSH, when the backend knows it. Null: the first that is seen is pinned. */
      readonly hostKey: string | null;
      /** Of the host agent, on the host; in a container, of the only one (`CONTAINER_AGENT_SOCKET`). */
      readonly socketPath: string;
      /** The machine to go through. */
      readonly jump: { readonly host: string; readonly port: number; readonly user: string } | null;
    };

/** Where the server logs in to put the agent on a machine. */
export interface HostLogin {
  readonly via: 'login';
  readonly host: string;
  readonly port: number;
  /** May become root without a password. */
  readonly user: string;
  /** The machine to go through. */
  readonly jump: { readonly host: string; readonly port: number; readonly user: string } | null;
}

export type MachineState =
  | { readonly state: 'pending'; readonly ref: MachineRef; readonly reason?: string }
  | {
      readonly state: 'ready';
      readonly ref: MachineRef;
      /** A login where no agent comes with the machine: the server installs its own. */
      readonly agent: AgentAddress | HostLogin;
      readonly hostname: string;
      readonly internalIp: string | null;
    }
  /** It will never get ready; it may still exist and cost money until it is terminated. */
  | { readonly state: 'failed'; readonly ref: MachineRef; readonly message: string }
  | { readonly state: 'gone' };

export interface ListedMachine {
  readonly ref: MachineRef;
  readonly owner: string;
  /** The attempt's token where the cloud keeps it. */
  readonly token: string | null;
  readonly createdAt: number | null;
}

/** `pending`: accepted, ask again; the machine may still cost money. */
export type Termination = 'done' | 'pending';
