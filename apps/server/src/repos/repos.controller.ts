import { Body, Controller, Inject, Query, Req } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { FastifyRequest } from 'fastify';
import type { ProjectScope } from '../auth/caller.js';
import { readUpload } from '../files/upload.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { ReposService } from './repos.service.js';

@Controller()
export class ReposController {
  constructor(
    private readonly repos: ReposService,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'codeUploadLimitBytes'>,
  ) {}

  @Operation('project_repos_list')
  list(@CurrentProject() scope: ProjectScope): Promise<Wire.RepoHead[]> {
    return this.repos.list(scope);
  }

  @Operation('project_repos_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetRepoRequest): Promise<Wire.RepoHeadWithCreds> {
    return this.repos.get(scope, request);
  }

  @Operation('project_repos_init')
  init(@CurrentProject() scope: ProjectScope, @Body() request: Wire.SaveRepoCredsRequest): Promise<void> {
    return this.repos.init(scope, request);
  }

  @Operation('project_repos_delete')
  delete(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteReposRequest): Promise<void> {
    return this.repos.delete(scope, request.repos_ids);
  }

  @Operation('project_repos_upload_code')
  async uploadCode(
    @CurrentProject() scope: ProjectScope,
    @Query('repo_id') repoId: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const upload = await readUpload(request, this.settings.codeUploadLimitBytes);
    await this.repos.uploadCode(scope, repoId, upload);
  }
}
