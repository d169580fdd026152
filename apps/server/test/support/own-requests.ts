import { createHash } from 'node:crypto';
import { insertInstance } from '../../src/fleets/create-instances.js';
import { realWorld } from '../../src/world/real-world.js';
import { operationOf } from '@dstack/contract-tools';
import type { Reply, TestServer } from './start-test-server.js';

export interface OwnRequest {
  readonly id: string;
  readonly path: string;
  readonly reply: Reply;
}

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILdSIbl9itA0nH69YycIMeF8BGm2OlJs/Gbqi1cmscE9 laptop';
const TASK = { type: 'task', commands: ['true'], resources: { cpu: '1..', memory: '0.1GB..', disk: null } };

/** Requests to operations that the recording has not, or not with success; in the order in which they make sense. */
export async function* ownRequests(server: TestServer): AsyncGenerator<OwnRequest> {
  const ask = async (path: string, body?: unknown): Promise<OwnRequest> => {
    const method = path.startsWith('GET ') ? 'GET' : 'POST';
    const url = path.replace('GET ', '');
    const reply = await server.call(method, url, body === undefined ? {} : { body });
    return { id: operationOf(method, url.split('?')[0] ?? url)?.operationId ?? url, path, reply };
  };
  yield ask('GET /healthcheck');
  yield ask('/api/auth/list_providers');
  yield* identityRequests(ask);
  yield* sourceRequests(server, ask);
  yield ask('/api/backends/list_types');
  yield ask('/api/project/main/backends/create_yaml', { config_yaml: 'type: local' });
  yield ask('/api/project/main/backends/update_yaml', { config_yaml: 'type: local\nruntime: process' });
  yield ask('/api/project/main/backends/local/get_yaml');
  yield ask('/api/project/main/backends/delete', { backends_names: ['local'] });
  // A cloud that does not answer refuses no credentials.
  const lambda = (region: string) => ({ type: 'lambda', regions: [region], creds: { type: 'api_key', api_key: 'k' } });
  yield ask('/api/project/main/backends/create', lambda('us-east-1'));
  yield ask('/api/project/main/backends/update', lambda('us-west-1'));
  yield ask('/api/project/main/backends/lambda/config_info');
  yield* gatewayRequests(ask);
  yield* workloadRequests(server, ask);
}

type Ask = (path: string, body?: unknown) => Promise<OwnRequest>;

async function* identityRequests(ask: Ask): AsyncGenerator<OwnRequest> {
  await ask('/api/users/create', { username: 'own', global_role: 'user' });
  yield ask('/api/users/get_user', { username: 'own' });
  yield ask('/api/users/update', { username: 'own', global_role: 'user', email: 'own@example.org' });
  yield ask('/api/users/refresh_token', { username: 'own' });
  yield ask('/api/users/refresh_ssh_key', { username: 'own' });
  const added = await ask('/api/users/public_keys/add', { key: KEY });
  yield added;
  yield ask('/api/users/public_keys/list');
  yield ask('/api/users/public_keys/delete', { ids: [(added.reply.body as { id: string }).id] });
  yield ask('/api/projects/list_only_no_fleets');
  await ask('/api/projects/create', { project_name: 'own-project' });
  const members = [{ username: 'own', project_role: 'user' }];
  yield ask('/api/projects/own-project/add_members', { members });
  yield ask('/api/projects/own-project/remove_members', { usernames: ['own'] });
  yield ask('/api/projects/own-project/set_members', {
    members: [...members, { username: 'admin', project_role: 'admin' }],
  });
  yield ask('/api/projects/own-project/update', { is_public: true });
  yield ask('/api/projects/own-project/get');
  yield ask('/api/project/main/exports/create', { name: 'own', importer_projects: ['own-project'] });
  yield ask('/api/project/main/exports/list');
  yield ask('/api/project/own-project/imports/list');
  yield ask('/api/project/main/exports/update', { name: 'own', add_importer_projects: [] });
  yield ask('/api/project/own-project/imports/delete', { export_project_name: 'main', export_name: 'own' });
  yield ask('/api/project/main/exports/delete', { name: 'own' });
  yield ask('/api/projects/delete', { projects_names: ['own-project'] });
  yield ask('/api/users/delete', { users: ['own'] });
}

async function* sourceRequests(server: TestServer, ask: Ask): AsyncGenerator<OwnRequest> {
  const repo_creds = { clone_url: 'https://example.org/r.git', oauth_token: 'x' };
  const repo_info = { repo_type: 'remote', repo_name: 'own' };
  await ask('/api/project/main/repos/init', { repo_id: 'own', repo_info, repo_creds });
  yield ask('/api/project/main/repos/get', { repo_id: 'own', include_creds: true });
  yield upload(server, '/api/project/main/repos/upload_code?repo_id=own', 'diff');
  yield ask('/api/project/main/repos/delete', { repos_ids: ['own'] });
  yield upload(server, '/api/files/upload_archive', 'archive');
  yield ask('/api/files/get_archive_by_hash', { hash: sha256('archive') });
}

async function* gatewayRequests(ask: Ask): AsyncGenerator<OwnRequest> {
  const ssh_key = { public: 'ssh-ed25519 AAAA x', private: 'x' };
  const configuration = {
    type: 'gateway',
    name: 'own',
    backend: 'ssh',
    ssh_config: { user: 'x', hosts: [{ hostname: '192.0.2.1', ssh_key }] },
  };
  yield ask('/api/project/main/gateways/create', { configuration });
  yield ask('/api/project/main/gateways/get', { name: 'own' });
  yield ask('/api/project/main/gateways/set_wildcard_domain', { name: 'own', wildcard_domain: 'example.com' });
  yield ask('/api/project/main/gateways/set_default', { name: 'own' });
  const spec = { configuration: { ...configuration, name: 'other' } };
  yield ask('/api/project/main/gateways/get_plan', { spec });
  yield ask('/api/project/main/gateways/apply', { plan: { spec }, force: false });
  yield ask('/api/project/main/gateways/delete', { names: ['own', 'other'] });
}

async function* workloadRequests(server: TestServer, ask: Ask): AsyncGenerator<OwnRequest> {
  const applied = await ask('/api/project/main/runs/apply', {
    plan: { run_spec: { run_name: 'own', configuration: TASK } },
    force: false,
  });
  yield applied;
  const run = applied.reply.body as { jobs: { job_submissions: { id: string }[] }[] };
  const submission = run.jobs[0]?.job_submissions[0]?.id;
  yield ask('/api/project/main/logs/poll', { run_name: 'own', job_submission_id: submission });
  yield ask('GET /api/project/main/metrics/job/own');
  yield ask('/api/runs/list', { include_jobs: true });
  await server.db.write((tx) => tx.execute(`UPDATE runs SET status = 'failed' WHERE name = 'own'`));
  yield ask('/api/project/main/runs/delete', { runs_names: ['own'] });
  const fleet = await ask('/api/project/main/fleets/get', { name: 'default' });
  yield fleet;
  yield* instanceRequests(server, ask, fleet.reply.body as { id: string });
  yield ask('/api/project/main/fleets/delete', { names: ['f1'] });
}

async function* instanceRequests(
  server: TestServer,
  ask: Ask,
  fleet: { readonly id: string },
): AsyncGenerator<OwnRequest> {
  const instance = await server.db.write(async (tx) => {
    const [project] = await tx.query<{ id: string }>(`SELECT id FROM projects WHERE name = 'main'`);
    return insertInstance(
      tx,
      realWorld(),
      { id: fleet.id, name: 'default', projectId: project?.id ?? '' },
      { requirements: { resources: {} }, profile: { name: 'default' }, provisioningJobId: null, busyBlocks: 0 },
    );
  });
  yield ask('/api/project/main/instances/get', { id: instance.id });
  yield ask('/api/project/main/instances/get_instance_health_checks', { fleet_name: 'default', instance_num: 0 });
  yield ask('/api/project/main/fleets/delete_instances', { name: 'default', instance_nums: [0] });
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

async function upload(server: TestServer, path: string, content: string): Promise<OwnRequest> {
  const boundary = 'xxBOUNDARYxx';
  const body =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${sha256(content)}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n--${boundary}--\r\n`;
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  const reply = await server.call('POST', path, { body, headers });
  return { id: operationOf('POST', path.split('?')[0] ?? path)?.operationId ?? path, path, reply };
}
