/**
 * Everything an agent needs to run one job submission: `PUT /v1/jobs/{id}`. Idempotent by `id`.
 * Blobs named here are uploaded with `PUT /v1/jobs/{id}/blobs/{sha256}`; the job starts when all have arrived.
 */
export interface JobStart {
  /** The job submission's id. */
  readonly id: string;
  readonly runId: string;
  readonly runName: string;
  readonly projectName: string;
  readonly jobName: string;
  readonly runtime: 'container' | 'process';
  /** Set for `runtime: 'container'`. */
  readonly container?: ContainerSpec;
  /** argv; empty means the image's entrypoint and command. */
  readonly commands: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `uid|name[:gid|group]`; unset: the image's user (container), an unprivileged uid (process under a root agent). */
  readonly user?: string;
  /** Absolute, `~`-relative or unset (the image's working dir; the job's own directory for processes). */
  readonly workingDir?: string;
  readonly repo?: RepoSetup;
  readonly files: readonly FileSetup[];
  readonly gpuCount: number;
  /** Bounds of the share the job may use; unset means the whole host. */
  readonly limits?: { readonly cpus?: number; readonly memoryBytes?: number };
  /** From the moment commands start; unset means no limit. */
  readonly maxDurationSeconds?: number;
  /** Bytes per hour counted since submission; unset means no quota. */
  readonly logQuotaBytesPerHour?: number;
  /** Bounds of the spool per stream; default 1 GiB, and `block`: the job is slowed, and only after 24 h its output is dropped. */
  readonly logSpool?: { readonly maxBytes?: number; readonly whenFull?: 'block' | 'drop' };
  /** The job may reach the server: through a unix socket whose connections the server takes one by one. */
  readonly serverAccess?: boolean;
  readonly ssh: SshSpec;
  /** Lets a gateway's keys through the host (or the container that has no host agent) to the port where the job's service listens and nowhere else, while the job runs. */
  readonly gatewayDoor?: HostDoor & { readonly port: number };
  readonly cluster: ClusterSpec;
  readonly repoId: string;
}

export interface ContainerSpec {
  readonly image: string;
  readonly registryAuth?: { readonly username: string; readonly password: string };
  readonly privileged: boolean;
  readonly network: 'host' | 'bridge';
  readonly shmBytes?: number;
  readonly mounts: readonly Mount[];
}

export type Mount =
  | { readonly kind: 'instance'; readonly instancePath: string; readonly path: string; readonly optional: boolean }
  | {
      readonly kind: 'volume';
      readonly backend: string;
      readonly name: string;
      readonly volumeId: string;
      readonly deviceName?: string;
      readonly initFs: boolean;
      readonly path: string;
    };

export type RepoSetup = { readonly path: string; readonly ifExists: 'error' | 'skip' } & (
  | {
      readonly kind: 'remote';
      readonly url: string;
      readonly branch?: string;
      readonly hash?: string;
      readonly singleBranch: boolean;
      /** sha256 of the blob with the `git diff --binary` text. */
      readonly diffBlob?: string;
      readonly userName?: string;
      readonly userEmail?: string;
      readonly credentials?: { readonly oauthToken?: string; readonly privateKey?: string };
    }
  | { readonly kind: 'archive'; readonly blob?: string }
);

export interface FileSetup {
  /** sha256 of an uncompressed tar with one root entry. */
  readonly blob: string;
  readonly path: string;
}

export interface SshSpec {
  readonly authorizedKeys: readonly string[];
  /** Where the job's SSH server listens; port 0 takes a free one, reported in {@link JobState.sshPort}. Unset: no TCP listener. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Lets these keys through the host to the job's SSH server and nowhere else, for as long as the job lives. */
  readonly viaHost?: HostDoor;
}

/** The user of every host with an agent, without rights, as whom clients log in on their way to a job. */
export const DOOR_USER = 'dstack-door';
/** Its home: outside the agent's own directory, because sshd reads the keys there as the user who logs in. */
export const DOOR_HOME = '/var/lib/dstack-door';

export interface HostDoor {
  readonly authorizedKeys: readonly string[];
}

export interface ClusterSpec {
  readonly nodesNum: number;
  readonly nodeRank: number;
  /** By rank; an empty string for a node without one. */
  readonly nodesIps: readonly string[];
  readonly gpusPerNode: number;
  readonly gpusNum: number;
  /** Key pair shared by the nodes of one replica (PEM and OpenSSH line). */
  readonly sshKey?: { readonly privateKey: string; readonly publicKey: string };
}
