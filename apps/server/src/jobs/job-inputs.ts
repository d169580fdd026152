export interface RepoCredentials {
  readonly clone_url?: string | null;
  readonly private_key?: string | null;
  readonly oauth_token?: string | null;
}

/** Values that are encrypted at rest, decrypted for the moment a job is handed to its agent. */
export abstract class JobInputs {
  abstract secrets(projectId: string): Promise<ReadonlyMap<string, string>>;
  abstract repoCredentials(repoId: string, userId: string): Promise<RepoCredentials | null>;
}
