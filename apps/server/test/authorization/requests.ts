import { generateKeyPair } from '../../src/ssh-keys/generate-key-pair.js';
import { type Place, type Role, type Scene, absentId, uploadOf } from './scene.js';

/** `own`: of the caller's project, or the caller. `foreign`: it exists, but not there. `missing`: it exists nowhere. */
export type Subject = 'own' | 'foreign' | 'missing';

export interface Prepared {
  readonly body?: unknown;
  /** In place of the parameters of the path other than the project. */
  readonly path?: Readonly<Record<string, string>>;
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is asked for, so that two replies about different things can be compared. */
  readonly about?: string | readonly string[];
}

/** Undefined: the operation is about no subject. */
export type Prepare = (scene: Scene, subject: Subject, role: Role) => Promise<Prepared | undefined>;

const placeOf = (subject: Subject): Place => (subject === 'own' ? 'team' : 'hidden-project');
const always =
  (body?: unknown): Prepare =>
  async (_scene, subject) =>
    subject === 'own' ? { body } : undefined;

/** Of something that can be there, elsewhere, or nowhere. */
function about(
  make: (scene: Scene, place: Place) => Promise<string>,
  request: (name: string) => Omit<Prepared, 'about'>,
  absent: (scene: Scene) => string = (scene) => scene.name('free'),
): Prepare {
  return async (scene, subject) => {
    const name = subject === 'missing' ? absent(scene) : await make(scene, placeOf(subject));
    return { ...request(name), about: name };
  };
}

const run = async (scene: Scene, place: Place): Promise<string> => (await scene.run(place)).name;
const fleetId = async (scene: Scene, place: Place): Promise<string> => (await scene.fleet(place)).id;
const runId = async (scene: Scene, place: Place): Promise<string> => (await scene.run(place)).id;
const finishedRun = async (scene: Scene, place: Place): Promise<string> => (await scene.finishedRun(place)).name;
const fleet = async (scene: Scene, place: Place): Promise<string> => (await scene.fleet(place)).name;
const exported = (scene: Scene, place: Place): Promise<string> => scene.exported(place);
const secret = (scene: Scene, place: Place): Promise<string> => scene.secret(place);
const repo = (scene: Scene, place: Place): Promise<string> => scene.repo(place);
const fleetOfInstance = async (scene: Scene, place: Place): Promise<string> => (await scene.instance(place)).fleet;
const instanceId = async (scene: Scene, place: Place): Promise<string> => (await scene.instance(place)).id;
/** People are not a project's: whoever may add members may know them. */
const someone = async (scene: Scene): Promise<string> => {
  const name = scene.name('free');
  await scene.user(name);
  return name;
};
const TASK = { type: 'task', commands: ['true'] };

/** Asks for a person: oneself, another, or none. */
const person =
  (request: (username: string) => unknown): Prepare =>
  async (scene, subject, role) => {
    const self = role === 'global admin' ? 'admin' : `the-${role}`;
    const username = subject === 'own' ? self : subject === 'missing' ? scene.name('free') : await someone(scene);
    return { body: request(username), about: username };
  };

/** Submissions belong to a run of the project. */
const logsPoll: Prepare = async (scene, subject) => {
  const { name, submission } = await scene.run('team');
  const elsewhere = subject === 'foreign' ? (await scene.run('hidden-project')).submission : absentId();
  const job_submission_id = subject === 'own' ? submission : elsewhere;
  return { body: { run_name: name, job_submission_id }, about: [name, job_submission_id] };
};

/** A list that is narrowed to a project. */
const inProject =
  (filter: (name: string) => object): Prepare =>
  async (scene, subject) => {
    if (subject !== 'missing') await scene.instance(placeOf(subject));
    if (subject !== 'missing') await scene.run(placeOf(subject));
    return { body: filter(subject === 'missing' ? 'no-such-project' : placeOf(subject)) };
  };

/** Operations that find the same thing in another way. */
export const VARIANTS: Readonly<Record<string, Prepare>> = {
  'project_runs_get by id': about(runId, (id) => ({ body: { id } }), absentId),
  'project_fleets_get by id': about(fleetId, (id) => ({ body: { id } }), absentId),
  'project_repos_get without credentials': about(repo, (repo_id) => ({ body: { repo_id, include_creds: false } })),
  'project_fleets_delete_instances of no number': about(fleetOfInstance, (name) => ({
    body: { name, instance_nums: [9] },
  })),
  'global_runs_list of every project': always({}),
  'global_fleets_list of every project': always({}),
  'global_instances_list of every project': always({}),
  'global_instances_list of a fleet': about(fleetId, (id) => ({ body: { fleet_ids: [id] } }), absentId),
  'events_list of every project': always({}),
  'events_list about a run': about(runId, (id) => ({ body: { target_runs: [id] } }), absentId),
  'projects_list of all that is there': always({ include_not_joined: true }),
  'project_runs_apply to a fleet of another project': async (scene, subject) => {
    const name = subject === 'missing' ? scene.name('free') : await fleet(scene, placeOf(subject));
    const reference = subject === 'own' ? name : `hidden-project/${name}`;
    const configuration = { ...TASK, fleets: [reference] };
    return { body: { plan: { run_spec: { configuration } }, force: false }, about: reference };
  },
  'project_fleets_get of what is shared': shared(({ name }) => ({ body: { name } })),
  'project_instances_get of what is shared': shared(({ instance }) => ({ body: { id: instance } })),
  'project_exports_create with a fleet of another project': async (scene, subject) => {
    const name = subject === 'missing' ? scene.name('free') : await scene.hosts(placeOf(subject));
    return { body: { name: scene.name('free'), exported_fleets: [name] }, about: name };
  },
  'project_exports_create for a project': async (scene, subject, role) => {
    const project = subject === 'missing' ? scene.name('free') : scene.name(placeOf(subject));
    if (subject !== 'missing') await scene.must('/api/projects/create', { project_name: project });
    if (subject === 'own' && role === 'admin') {
      const members = [{ username: 'the-admin', project_role: 'admin' }];
      await scene.must(`/api/projects/${project}/add_members`, { members });
    }
    return { body: { name: scene.name('free'), importer_projects: [project] }, about: project };
  },
  'project_runs_apply with a repo': async (scene, subject) => {
    const repo_id = subject === 'missing' ? scene.name('free') : await repo(scene, placeOf(subject));
    const repo_data = { repo_type: 'remote', repo_name: repo_id };
    return { body: { plan: { run_spec: { configuration: TASK, repo_id, repo_data } }, force: false }, about: repo_id };
  },
};

/** What each operation is sent. An operation of the contract that is missing here fails the test. */
export const REQUESTS: Readonly<Record<string, Prepare>> = {
  'POST /api/server/end_quarantine': always({}),
  'GET /api/costs': always(),
  'GET /api/server/catalogs': always(),
  'POST /api/server/refresh_catalogs': always({}),
  users_list: always({}),
  users_get_my_user: always(),
  users_get_user: person((username) => ({ username })),
  users_create: async (scene, subject) =>
    subject === 'own' ? { body: { username: scene.name('free'), global_role: 'user' } } : undefined,
  users_update: about(someone, (username) => ({ body: { username, global_role: 'user', email: 'a@example.org' } })),
  users_refresh_ssh_key: person((username) => ({ username })),
  users_refresh_token: async (scene, subject, role) => {
    // The token of the global admin is the test's own.
    const prepared = await person((username) => ({ username }))(scene, subject, role);
    return role === 'global admin' && subject === 'own' ? { body: { username: await someone(scene) } } : prepared;
  },
  users_delete: about(someone, (username) => ({ body: { users: [username] } })),
  'POST /api/users/tokens/list': person((username) => ({ username })),
  'POST /api/users/tokens/create': async (scene, subject, role) =>
    person((username) => ({ username, name: scene.name('free') }))(scene, subject, role),
  'POST /api/users/tokens/delete': async (scene, subject, role) => {
    const name = scene.name('free');
    const prepared = await person((username) => ({ username, names: [name] }))(scene, subject, role);
    if (subject !== 'missing' && prepared?.about !== undefined) await scene.furtherToken(String(prepared.about), name);
    return prepared;
  },
  'POST /api/users/service_accounts/list': always({}),
  'POST /api/users/service_accounts/create': async (scene, subject) =>
    subject === 'own' ? { body: { username: scene.name('free') } } : undefined,
  users_public_keys_list: always(),
  users_public_keys_add: always({
    key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILdSIbl9itA0nH69YycIMeF8BGm2OlJs/Gbqi1cmscE9 x',
  }),
  users_public_keys_delete: async (scene, subject, role) => {
    if (subject === 'missing') return { body: { ids: [absentId()] } };
    const token = subject === 'own' ? scene.token(role) : scene.otherToken;
    const key = generateKeyPair('x').publicKey;
    const reply = await scene.server.call('POST', '/api/users/public_keys/add', { token, body: { key } });
    const id = reply.status === 200 ? (reply.body as { id: string }).id : absentId();
    return { body: { ids: [id] }, about: id };
  },
  projects_list: always({}),
  projects_list_only_no_fleets: always(),
  projects_create: async (scene, subject) =>
    subject === 'own' ? { body: { project_name: scene.name('free') } } : undefined,
  projects_delete: async (scene, subject, role) => {
    const name = scene.name(placeOf(subject));
    if (subject !== 'missing') await scene.must('/api/projects/create', { project_name: name });
    const project_role = role === 'user' || role === 'manager' || role === 'admin' ? role : undefined;
    if (subject === 'own' && project_role !== undefined)
      await scene.must(`/api/projects/${name}/add_members`, { members: [{ username: `the-${role}`, project_role }] });
    return { body: { projects_names: [name] }, about: name };
  },
  projects_get: always(),
  projects_update: always({ is_public: false }),
  projects_set_members: always({
    members: [
      { username: 'admin', project_role: 'admin' },
      ...(['user', 'manager', 'admin'] as const).map((role) => ({ username: `the-${role}`, project_role: role })),
    ],
  }),
  projects_add_members: about(someone, (username) => ({ body: { members: [{ username, project_role: 'user' }] } })),
  projects_remove_members: async (scene, subject) => {
    const username = subject === 'missing' ? scene.name('free') : await someone(scene);
    if (subject === 'own')
      await scene.must('/api/projects/team/add_members', { members: [{ username, project_role: 'user' }] });
    return { body: { usernames: [username] }, about: username };
  },
  events_list: async (scene, subject) => {
    if (subject !== 'missing') await scene.run(placeOf(subject));
    return {
      body: { within_projects: [subject === 'missing' ? absentId() : await scene.projectId(placeOf(subject))] },
    };
  },
  files_get_archive_by_hash: async (scene, subject, role) => {
    const { body, headers } = uploadOf(`${subject}-${role}`);
    const hash = /filename="(\w+)"/.exec(body)?.[1] ?? '';
    const sender = subject === 'own' ? scene.token(role) : subject === 'foreign' ? scene.otherToken : null;
    if (sender !== null) await scene.server.call('POST', '/api/files/upload_archive', { token: sender, body, headers });
    return { body: { hash }, about: hash };
  },
  files_upload_archive: async (_scene, subject) => (subject === 'own' ? uploadOf('archive') : undefined),
  global_runs_list: inProject((name) => ({ project_name: name })),
  global_fleets_list: inProject((name) => ({ project_name: name })),
  global_instances_list: inProject((name) => ({ project_names: [name] })),
  global_volumes_list: inProject((name) => ({ project_name: name })),
  project_runs_get: about(run, (run_name) => ({ body: { run_name } })),
  project_runs_get_plan: always({ run_spec: { configuration: TASK } }),
  project_runs_apply: async (scene, subject, role) => {
    // With the files of the caller, of somebody else, or of nobody.
    const owner = subject === 'own' ? scene.token(role) : scene.otherToken;
    const id = subject === 'missing' ? absentId() : await scene.archive(owner);
    const run_spec = { configuration: TASK, file_archives: [{ id, path: '/x' }] };
    return { body: { plan: { run_spec }, force: false }, about: id };
  },
  project_runs_stop: about(run, (name) => ({ body: { runs_names: [name], abort: false } })),
  project_runs_delete: about(finishedRun, (name) => ({ body: { runs_names: [name] } })),
  project_gpus_list: always({ run_spec: { configuration: TASK } }),
  project_metrics_job: about(run, (run_name) => ({ path: { run_name } })),
  project_logs_poll: logsPoll,
  project_secrets_list: always(),
  project_secrets_get: about(secret, (name) => ({ body: { name } })),
  project_secrets_create_or_update: async (scene, subject) =>
    subject === 'own' ? { body: { name: scene.name('free'), value: 'v' } } : undefined,
  project_secrets_delete: about(secret, (name) => ({ body: { secrets_names: [name] } })),
  project_repos_list: always(),
  project_repos_get: about(repo, (repo_id) => ({ body: { repo_id, include_creds: true } })),
  project_repos_init: async (scene, subject) =>
    subject === 'own' ? { body: { repo_id: scene.name('free'), repo_info: { repo_type: 'virtual' } } } : undefined,
  project_repos_delete: about(repo, (repo_id) => ({ body: { repos_ids: [repo_id] } })),
  project_repos_upload_code: about(repo, (repo_id) => ({ search: `?repo_id=${repo_id}`, ...uploadOf('diff') })),
  project_fleets_list: always({}),
  project_fleets_get: about(fleet, (name) => ({ body: { name } })),
  project_fleets_get_plan: always({
    spec: { configuration: { type: 'fleet', nodes: '0..1' }, profile: { name: 'default' } },
  }),
  project_fleets_apply: async (scene, subject) => {
    if (subject !== 'own') return undefined;
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
  project_backends_delete: async (scene, subject) => {
    if (subject !== 'own') return undefined;
    await scene.localBackend('team', true);
    return { body: { backends_names: ['local'] } };
  },
  project_backends_config_info: backendOf(),
  project_backends_get_yaml: backendOf(),
  project_backends_create_yaml: async (scene, subject) => {
    if (subject !== 'own') return undefined;
    await scene.localBackend('team', false);
    return { body: { config_yaml: 'type: local' } };
  },
  project_backends_update_yaml: async (scene, subject) => {
    if (subject !== 'own') return undefined;
    await scene.localBackend('team', true);
    return { body: { config_yaml: 'type: local' } };
  },
  project_templates_list: always(),
  project_exports_create: async (scene, subject) =>
    subject === 'own' ? { body: { name: scene.name('free') } } : undefined,
  project_exports_update: about(exported, (name) => ({ body: { name } })),
  project_exports_delete: about(exported, (name) => ({ body: { name } })),
  project_imports_delete: async (scene, subject) => {
    const importer = subject === 'foreign' ? 'other-importer' : 'team';
    const export_name = subject === 'missing' ? scene.name('free') : await scene.exported('hidden-project', importer);
    return { body: { export_name, export_project_name: 'hidden-project' }, about: ['hidden-project', export_name] };
  },
  project_exports_list: always(),
  project_imports_list: always(),
  project_gateways_list: always({}),
  project_volumes_list: always(),
  sshproxy_get_upstream: always({ id: 'any' }),
  server_get_info: always(),
  auth_list_providers: always(),
  global_backends_list_types: always(),
  healthcheck: always(),
  metrics: always(),
  // Beyond the contract.
  'GET /': always(),
  'GET /readyz': always(),
  'POST /api/auth/:provider/device': always({}),
  'POST /api/auth/:provider/device/result': always({ id: 'unknown' }),
  'GET /auth/:provider/callback': always(),
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
  return async (scene, subject) => {
    await scene.localBackend('hidden-project', subject === 'foreign');
    await scene.localBackend('team', subject === 'own');
    return { path: { backend_name: 'local' } };
  };
}

/** A fleet of the project that an outsider imports; another one of it, which nobody imports; none. */
function shared(request: (fleet: { name: string; instance: string }) => Omit<Prepared, 'about'>): Prepare {
  return async (scene, subject, role) => {
    if (subject === 'foreign' && !['nobody', 'wrong token', 'outsider'].includes(role)) return undefined;
    if (subject === 'missing') {
      const [name, instance] = [scene.name('free'), absentId()];
      await scene.shareWithOutsider(null);
      return { ...request({ name, instance }), about: [name, instance] };
    }
    const { fleet: name, id: instance } = await scene.instance('team');
    await scene.shareWithOutsider(subject === 'own' ? name : null);
    return { ...request({ name, instance }), about: [name, instance] };
  };
}
