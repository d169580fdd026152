import type { AttackedServer } from './attacked-server.js';

/** The names of what is there, and of what is not, so that requests come deep. No request can name the attacker. */
export const NAMES = [
  ...[
    'kept',
    'main',
    'other',
    'run-1',
    'fleet-1',
    'secret_1',
    'repo-1',
    'ann',
    'bob',
    'admin',
    'default',
    'local',
    'run-2',
  ],
  ...['00000000-0000-4000-8000-000000000000', 'nobody', 'x', 'run-1-0-0', 'user', 'remote', '0.1.2.3', 'token'],
] as const;

const TASK = { type: 'task', name: 'run-1', commands: ['true'] };
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILdSIbl9itA0nH69YycIMeF8BGm2OlJs/Gbqi1cmscE9 laptop';

/** Something of every kind in each of two projects. */
export async function prepareScene(server: AttackedServer): Promise<void> {
  for (const username of ['ann', 'bob']) await server.makeUser(username, 'user');
  for (const project of ['kept', 'other']) {
    await server.set('/api/projects/create', { project_name: project });
    await server.set(`/api/projects/${project}/add_members`, {
      members: [{ username: 'ann', project_role: 'manager' }],
    });
    await server.set(`/api/project/${project}/secrets/create_or_update`, { name: 'secret_1', value: 'v' });
    await server.set(`/api/project/${project}/repos/init`, { repo_id: 'repo-1', repo_info: { repo_type: 'virtual' } });
    await server.set(`/api/project/${project}/fleets/apply`, {
      plan: {
        spec: { configuration: { type: 'fleet', name: 'fleet-1', nodes: '0..2' }, profile: { name: 'default' } },
      },
      force: false,
    });
    await server.set(`/api/project/${project}/runs/apply`, {
      plan: { run_spec: { configuration: TASK } },
      force: false,
    });
  }
  await server.set('/api/users/public_keys/add', { key: KEY });
}
