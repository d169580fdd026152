import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller, CurrentProject } from '../http/request-context.js';
import { MembersService } from './members.service.js';
import { ProjectsService } from './projects.service.js';

@Controller()
export class ProjectsController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly members: MembersService,
  ) {}

  @Operation('projects_list')
  list(
    @CurrentCaller() caller: Caller,
    @Body() request: Wire.ListProjectsRequest,
  ): Promise<Wire.Project[] | Wire.ProjectsInfoList> {
    return this.projects.list(caller, request);
  }

  @Operation('projects_list_only_no_fleets')
  listOnlyNoFleets(@CurrentCaller() caller: Caller): Promise<Wire.Project[]> {
    return this.projects.listWithoutFleets(caller);
  }

  @Operation('projects_create')
  create(@CurrentCaller() caller: Caller, @Body() request: Wire.CreateProjectRequest): Promise<Wire.Project> {
    return this.projects.create(caller, request);
  }

  @Operation('projects_delete')
  delete(@CurrentCaller() caller: Caller, @Body() request: Wire.DeleteProjectsRequest): Promise<void> {
    return this.projects.delete(caller, request.projects_names);
  }

  @Operation('projects_get')
  get(@CurrentProject() scope: ProjectScope): Promise<Wire.Project> {
    return this.projects.get(scope);
  }

  @Operation('projects_update')
  update(@CurrentProject() scope: ProjectScope, @Body() request: Wire.UpdateProjectRequest): Promise<Wire.Project> {
    return this.projects.update(scope, request);
  }

  @Operation('projects_set_members')
  setMembers(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.SetProjectMembersRequest,
  ): Promise<Wire.Project> {
    return this.members.set(scope, request.members);
  }

  @Operation('projects_add_members')
  addMembers(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.AddProjectMemberRequest,
  ): Promise<Wire.Project> {
    return this.members.add(scope, request.members);
  }

  @Operation('projects_remove_members')
  removeMembers(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.RemoveProjectMemberRequest,
  ): Promise<Wire.Project> {
    return this.members.remove(scope, request.usernames);
  }
}
