import { JobInputs, type RepoCredentials } from '@dstack/server/parts';

export class NoInputs extends JobInputs {
  override async secrets(): Promise<ReadonlyMap<string, string>> {
    return new Map();
  }

  override async repoCredentials(): Promise<RepoCredentials | null> {
    return null;
  }
}
