import type { Wire } from '@dstack/core';
import type { CallOptions, Transport } from '../http/transport.js';

export class Projects {
  constructor(private readonly transport: Transport) {}

  list(options?: CallOptions): Promise<Wire.Project[]> {
    return this.call('read', 'list', undefined, options);
  }

  /** Those the user is a member of; of a global admin, all. */
  listJoined(options?: CallOptions): Promise<Wire.Project[]> {
    return this.call('read', 'list', { include_not_joined: false } satisfies Wire.ListProjectsRequest, options);
  }

  get(name: string, options?: CallOptions): Promise<Wire.Project> {
    return this.call('read', `${encodeURIComponent(name)}/get`, undefined, options);
  }

  create(project: Wire.CreateProjectRequest, options?: CallOptions): Promise<Wire.Project> {
    return this.call('write', 'create', project, options);
  }

  update(name: string, changes: Wire.UpdateProjectRequest, options?: CallOptions): Promise<Wire.Project> {
    return this.call('write', `${encodeURIComponent(name)}/update`, changes, options);
  }

  async delete(names: readonly string[], options?: CallOptions): Promise<void> {
    const body: Wire.DeleteProjectsRequest = { projects_names: [...names] };
    await this.call('write', 'delete', body, options);
  }

  setMembers(name: string, members: readonly Wire.MemberSetting[], options?: CallOptions): Promise<Wire.Project> {
    return this.call('write', `${encodeURIComponent(name)}/set_members`, { members }, options);
  }

  addMembers(name: string, members: readonly Wire.MemberSetting[], options?: CallOptions): Promise<Wire.Project> {
    return this.call('write', `${encodeURIComponent(name)}/add_members`, { members }, options);
  }

  removeMembers(name: string, usernames: readonly string[], options?: CallOptions): Promise<Wire.Project> {
    return this.call('write', `${encodeURIComponent(name)}/remove_members`, { usernames }, options);
  }

  private call<T>(repeatable: 'read' | 'write', path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json({ path: `/api/projects/${path}`, body, repeatable, ...options });
  }
}
