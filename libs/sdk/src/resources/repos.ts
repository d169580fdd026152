import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import { uploadForm } from './upload-form.js';
import type { ProjectCalls } from './project-call.js';

export class Repos {
  constructor(private readonly project: ProjectCalls) {}

  list(options?: CallOptions): Promise<Wire.RepoHead[]> {
    return this.project.read('repos/list', undefined, options);
  }

  /** The repo with the calling user's credentials. */
  get(repoId: string, options?: CallOptions): Promise<Wire.RepoHeadWithCreds> {
    const body: Wire.GetRepoRequest = { repo_id: repoId, include_creds: true };
    return this.project.read('repos/get', body, options);
  }

  /** Creates the repo, or replaces the calling user's credentials for it. */
  async init(request: Wire.SaveRepoCredsRequest, options?: CallOptions): Promise<void> {
    await this.project.write('repos/init', request, options);
  }

  /** Stores a blob under its SHA-256; storing it twice is harmless. */
  async uploadCode(repoId: string, hash: string, code: Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.project.transport.json({
      path: this.project.path('repos/upload_code'),
      query: { repo_id: repoId },
      body: await uploadForm(hash, code),
      repeatable: 'keyed-write',
      ...options,
    });
  }

  async delete(repoIds: readonly string[], options?: CallOptions): Promise<void> {
    await this.project.write('repos/delete', { repos_ids: [...repoIds] }, options);
  }
}
