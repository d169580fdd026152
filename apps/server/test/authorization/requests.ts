import { type Place, type Role, type Scene, absentId, uploadOf } from './scene.js';

/** `own`: of the caller's project, or the caller. `foreign`: it exists, but not there. `missing`: it exists nowhere. */
export type Object = 'own' | 'foreign' | 'missing';

export interface Prepared {
  readonly body?: unknown;
  /** In place of the parameters of the path other than the project. */
  readonly path?: Readonly<Record<string, string>>;
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who is asked for, so that two replies about different things can be compared. */
  readonly about?: string;
}

/** Undefined: the operation is about no object. */
export type Prepare = (scene: Scene, object: Object, role: Role) => Promise<Prepared | undefined>;

const placeOf = (object: Object): Place => (object === 'own' ? 'team' : 'hidden-project');
const always =
  (body?: unknown): Prepare =>
  async (_scene, object) =>
    object === 'own' ? { body } : undefined;

/** Of something that can be there, elsewhere, or nowhere. */
function about(
  make: (scene: Scene, place: Place) => Promise<string>,
  request: (name: string) => Omit<Prepared, 'about'>,
  absent: (scene: Scene) => string = (scene) => scene.name('free'),
): Prepare {
  return async (scene, object) => {
    const name = object === 'missing' ? absent(scene) : await make(scene, placeOf(object));
    return { ...request(name), about: name };
  };
}

const run = async (scene: Scene, place: Place): Promise<string> => (await scene.run(place)).name;
const runId = async (scene: Scene, place: Place): Promise<string> => (await scene.run(place)).id;
const finishedRun = async (scene: Scene, place: Place): Promise<string> => (await scene.finishedRun(place)).name;
const fleet = async (scene: Scene, place: Place): Promise<string> => (await scene.fleet(place)).name;
const secret = (scene: Scene, place: Place): Promise<string> => scene.secret(place);
const repo = (scene: Scene, place: Place): Promise<string> => scene.repo(place);
const fleetOfInstance = async (scene: Scene, place: Place): Promise<string> => (await scene.instance(place)).fleet;
const instanceId = async (scene: Scene, place: Place): Promise<string> => (await scene.instance(place)).id;
const someone = async (scene: Scene, place: Place): Promise<string> => {
  const name = scene.name(place);
  await scene.user(name);
  return name;
};
const TASK = { type: 'task', commands: ['true'] };

/** Asks for a person: oneself, another, or none. */
const person =
  (request: (username: string) => unknown): Prepare =>
  async (scene, object, role) => {
    const self = role === 'global admin' ? 'admin' : `the-${role}`;
    const username =
      object === 'own' ? self : object === 'missing' ? scene.name('free') : await someone(scene, 'hidden-project');
    return { body: request(username), about: username };
  };

/** Submissions belong to a run of the project. */
const logsPoll: Prepare = async (scene, object) => {
  const own = await scene.run('team');
  if (object === 'missing') return { body: { run_name: own.name, job_submission_id: absentId() }, about: 'x' };
  const other = object === 'own' ? own : await scene.run('hidden-project');
  return { body: { run_name: own.name, job_submission_id: other.submission }, about: 'x' };
};

/** What each operation is sent. An operation of the contract that is missing here fails the test. */
export const REQUESTS: Readonly<Record<string, Prepare>> = {
  users_list: always({}),
  users_get_my_user: always(),
  users_get_user: person((username) => ({ username })),
  users_create: async (scene, object) =>
    object === 'own' ? { body: { username: scene.name('free'), global_role: 'user' } } : undefined,
  users_update: about(someone, (username) => ({ body: { username, global_role: 'user', email: 'a@example.org' } })),
  users_refresh_ssh_key: person((username) => ({ username })),
  users_refresh_token: async (scene, object, role) => {
    // The token of the global admin is the test's own.
    const prepared = await person((username) => ({ username }))(scene, object, role);
    return role === 'global admin' && object === 'own'
      ? { body: { username: await someone(scene, 'team') } }
      : prepared;
  },
  users_delete: about(someone, (username) => ({ body: { users: [username] } })),
  users_public_keys_list: always(),
  users_public_keys_add: always({
    key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILdSIbl9itA0nH69YycIMeF8BGm2OlJs/Gbqi1cmscE9 x',
  }),
  users_public_keys_delete: async (_scene, object) =>
    object === 'missing' ? { body: { ids: [absentId()] } } : undefined,
  projects_list: always({}),
  projects_list_only_no_fleets: always(),
  projects_create: async (scene, object) =>
    object === 'own' ? { body: { project_name: scene.name('free') } } : undefined,
  projects_delete: async (scene, object) => {
    const name = scene.name(placeOf(object));
    if (object !== 'missing') await scene.must('/api/projects/create', { project_name: name });
    return { body: { projects_names: [name] }, about: name };
  },
  projects_get: always(),
  projects_update: always({ is_public: false }),
  projects_set_members: always({
    members: (['user', 'manager', 'admin'] as const).map((role) => ({ username: `the-${role}`, project_role: role })),
  }),
  projects_add_members: about(someone, (username) => ({ body: { members: [{ username, project_role: 'user' }] } })),
  projects_remove_members: about(someone, (username) => ({ body: { usernames: [username] } })),
  events_list: always({}),
  files_get_archive_by_hash: async (scene, object, role) => {
    const { body, headers } = uploadOf(`${object}-${role}`);
    const hash = /filename="(\w+)"/.exec(body)?.[1] ?? '';
    const sender = object === 'own' ? scene.token(role) : object === 'foreign' ? scene.server.adminToken : null;
    if (sender !== null && !(object === 'foreign' && role === 'global admin'))
      await scene.server.call('POST', '/api/files/upload_archive', { token: sender, body, headers });
    return { body: { hash }, about: hash };
  },
  files_upload_archive: async (_scene, object) => (object === 'own' ? uploadOf('archive') : undefined),
  global_runs_list: always({}),
  global_fleets_list: always({}),
  global_instances_list: always({}),
  global_volumes_list: always({}),
  project_runs_get: about(run, (run_name) => ({ body: { run_name } })),
  project_runs_get_plan: always({ run_spec: { configuration: TASK } }),
  project_runs_apply: always({ plan: { run_spec: { configuration: TASK } }, force: false }),
  project_runs_stop: about(run, (name) => ({ body: { runs_names: [name], abort: false } })),
  project_runs_delete: about(finishedRun, (name) => ({ body: { runs_names: [name] } })),
  project_gpus_list: always({ run_spec: { configuration: TASK } }),
  project_metrics_job: about(run, (run_name) => ({ path: { run_name } })),
  project_logs_poll: logsPoll,
  project_secrets_list: always(),
  project_secrets_get: about(secret, (name) => ({ body: { name } })),
  project_secrets_create_or_update: async (scene, object) =>
    object === 'own' ? { body: { name: scene.name('free'), value: 'v' } } : undefined,
  project_secrets_delete: about(secret, (name) => ({ body: { secrets_names: [name] } })),
  project_repos_list: always(),
  project_repos_get: about(repo, (repo_id) => ({ body: { repo_id, include_creds: true } })),
  project_repos_init: async (scene, object) =>
    object === 'own' ? { body: { repo_id: scene.name('free'), repo_info: { repo_type: 'virtual' } } } : undefined,
  project_repos_delete: about(repo, (repo_id) => ({ body: { repos_ids: [repo_id] } })),
  project_repos_upload_code: about(repo, (repo_id) => ({ search: `?repo_id=${repo_id}`, ...uploadOf('diff') })),
  project_fleets_list: always({}),
  project_fleets_get: about(fleet, (name) => ({ body: { name } })),
  project_fleets_get_plan: always({
    spec: { configuration: { type: 'fleet', nodes: '0..1' }, profile: { name: 'default' } },
  }),
  project_fleets_apply: async (scene, object) => {
    if (object !== 'own') return undefined;
    const configuration = { type: 'fleet', name: scene.name('free'), nodes: '0..1' };
    return { body: { plan: { spec: { configuration, profile: { name: 'default' } } }, force: false } };
  },
  project_fleets_delete: about(fleet, (name) => ({ body: { names: [name] } })),
  project_fleets_delete_instances: about(fleetOfInstance, (name) => ({ body: { name, instance_nums: [0] } })),
  project_instances_get: about(instanceId, (id) => ({ body: { id } }), absentId),
  project_instances_get_instance_health_checks: about(fleetOfInstance, (fleet_name) => ({
    body: { fleet_name, instance_num: 0 },
  })),
  project_backends_create: always({ type: 'aws', regions: null, creds: { type: 'default' } }),
  project_backends_update: always({ type: 'aws', regions: null, creds: { type: 'default' } }),
  project_backends_delete: async (scene, object) => {
    if (object !== 'own') return undefined;
    await scene.localBackend('team', true);
    return { body: { backends_names: ['local'] } };
  },
  project_backends_config_info: backendOf(),
  project_backends_get_yaml: backendOf(),
  project_backends_create_yaml: async (scene, object) => {
    if (object !== 'own') return undefined;
    await scene.localBackend('team', false);
    return { body: { config_yaml: 'type: local' } };
  },
  project_backends_update_yaml: async (scene, object) => {
    if (object !== 'own') return undefined;
    await scene.localBackend('team', true);
    return { body: { config_yaml: 'type: local' } };
  },
  project_templates_list: always(),
  project_exports_list: always(),
  project_imports_list: always(),
  project_gateways_list: always({}),
  project_volumes_list: always(),
  server_get_info: always(),
  auth_list_providers: always(),
  global_backends_list_types: always(),
  healthcheck: always(),
  metrics: always(),
  // Beyond the contract.
  'GET /': always(),
  'GET /readyz': always(),
  'GET /api/docs': always(),
  'GET /api/docs/openapi.json': always(),
  'GET /openapi.json': always(),
  'GET /api/project/:project_name/runs/:run_name/logs/stream': about(run, (run_name) => ({
    path: { run_name },
    search: '?follow=false',
  })),
};

/** In another project the same name is another thing, which one's own project does not have. */
function backendOf(): Prepare {
  return async (scene, object) => {
    await scene.localBackend('hidden-project', object === 'foreign');
    await scene.localBackend('team', object === 'own');
    return { path: { backend_name: 'local' } };
  };
}

export const runsById: Prepare = about(runId, (id) => ({ body: { id } }), absentId);
