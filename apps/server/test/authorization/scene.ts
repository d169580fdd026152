import { createHash, randomUUID } from 'node:crypto';
import { insertInstance } from '../../src/fleets/create-instances.js';
import { generateKeyPair } from '../../src/ssh-keys/generate-key-pair.js';
import { realWorld } from '../../src/world/real-world.js';
import type { Reply, TestServer } from '../support/start-test-server.js';

export const ROLES = ['nobody', 'wrong token', 'outsider', 'user', 'manager', 'admin', 'global admin'] as const;
export type Role = (typeof ROLES)[number];

/** The caller's project, and one of other people. Everything in the other has `hidden` in its name. */
export type Place = 'team' | 'hidden-project';

/** Two projects, a person for each role of the first, and whatever a request needs, made when it is needed. */
export class Scene {
  private count = 0;
  private readonly tokens = new Map<Role, string | null>([
    ['nobody', null],
    ['wrong token', 'wrong'],
  ]);

  private isShared = false;

  /** Of somebody who has nothing to do with the project. */
  otherToken = '';

  private constructor(readonly server: TestServer) {}

  static async prepare(server: TestServer): Promise<Scene> {
    const scene = new Scene(server);
    scene.tokens.set('global admin', server.adminToken);
    for (const role of ['outsider', 'user', 'manager', 'admin'] as const)
      scene.tokens.set(role, await scene.user(`the-${role}`));
    scene.otherToken = await scene.user('hidden-owner');
    await scene.must('/api/projects/create', { project_name: 'team' });
    await scene.must('/api/projects/create', { project_name: 'hidden-project' });
    await scene.must('/api/projects/hidden-project/add_members', {
      members: [{ username: 'hidden-owner', project_role: 'admin' }],
    });
    for (const name of ['outside', 'other-importer']) await scene.must('/api/projects/create', { project_name: name });
    await scene.must('/api/projects/outside/add_members', {
      members: [{ username: 'the-outsider', project_role: 'user' }],
    });
    await scene.resetMembers();
    return scene;
  }

  token(role: Role): string | null {
    return this.tokens.get(role) ?? null;
  }

  async reset(): Promise<void> {
    await this.resetMembers();
    if (!this.isShared) return;
    await this.server.db.write((tx) => tx.execute(`DELETE FROM exports WHERE name = 'to-the-outsider'`));
    this.isShared = false;
  }

  private async resetMembers(): Promise<void> {
    const members = (['user', 'manager', 'admin'] as const).map((role) => ({
      username: `the-${role}`,
      project_role: role,
    }));
    await this.must('/api/projects/team/add_members', { members });
  }

  /** After an operation that gives a person another token. */
  async readTokens(): Promise<void> {
    for (const role of ['outsider', 'user', 'manager', 'admin'] as const) {
      const { body } = await this.must('/api/users/get_user', { username: `the-${role}` });
      this.tokens.set(role, (body as { creds: { token: string } }).creds.token);
    }
  }

  name(place: Place | 'free'): string {
    this.count += 1;
    return `${place === 'hidden-project' ? 'hidden' : 'own'}-${this.count}`;
  }

  /** Of a person, or of nobody when there is no such person. */
  async furtherToken(username: string, name: string): Promise<void> {
    await this.server.post('/api/users/tokens/create', { username, name });
  }

  async user(username: string): Promise<string> {
    await this.must('/api/users/create', { username, global_role: 'user' });
    const { body } = await this.must('/api/users/get_user', { username });
    return (body as { creds: { token: string } }).creds.token;
  }

  async run(place: Place): Promise<{ name: string; id: string; submission: string }> {
    const configuration = { type: 'task', name: this.name(place), commands: ['true'] };
    const reply = await this.must(`/api/project/${place}/runs/apply`, {
      plan: { run_spec: { configuration } },
      force: false,
    });
    const run = reply.body as { id: string; jobs: { job_submissions: { id: string }[] }[] };
    return { name: configuration.name, id: run.id, submission: run.jobs[0]?.job_submissions[0]?.id ?? '' };
  }

  async finishedRun(place: Place): Promise<{ name: string; id: string }> {
    const run = await this.run(place);
    await this.server.db.write((tx) => tx.execute(`UPDATE runs SET status = 'failed' WHERE id = ?`, [run.id]));
    return run;
  }

  async fleet(place: Place): Promise<{ name: string; id: string }> {
    const name = this.name(place);
    const spec = { configuration: { type: 'fleet', name, nodes: '0..1' }, profile: { name: 'default' } };
    const { body } = await this.must(`/api/project/${place}/fleets/apply`, { plan: { spec }, force: false });
    return { name, id: (body as { id: string }).id };
  }

  async instance(place: Place): Promise<{ fleet: string; id: string }> {
    const fleet = await this.fleet(place);
    const { id } = await this.server.db.write(async (tx) => {
      const [project] = await tx.query<{ id: string }>('SELECT id FROM projects WHERE name = ?', [place]);
      const to = { id: fleet.id, name: fleet.name, projectId: project?.id ?? '' };
      const requirements = { resources: {} };
      return insertInstance(tx, realWorld(), to, {
        requirements,
        profile: { name: 'default' },
        provisioningJobId: null,
        busyBlocks: 0,
      });
    });
    return { fleet: fleet.name, id };
  }

  /** A fleet of the only kind that can be shared. */
  async hosts(place: Place): Promise<string> {
    const name = this.name(place);
    const { publicKey, privateKey } = generateKeyPair(name);
    const ssh_config = { user: 'u', ssh_key: { public: publicKey, private: privateKey }, hosts: [`${name}.invalid`] };
    const spec = { configuration: { type: 'fleet', name, ssh_config }, profile: { name: 'default' } };
    await this.must(`/api/project/${place}/fleets/apply`, { plan: { spec }, force: false });
    return name;
  }

  async exported(place: Place, importer?: string): Promise<string> {
    const name = this.name(place);
    const importer_projects = importer === undefined ? [] : [importer];
    await this.must(`/api/project/${place}/exports/create`, { name, importer_projects });
    return name;
  }

  /** Until the next request: the outsider's project imports something of the team, and this fleet. */
  async shareWithOutsider(fleet: string | null): Promise<void> {
    this.isShared = true;
    await this.must('/api/project/team/exports/create', { name: 'to-the-outsider', importer_projects: ['outside'] });
    if (fleet === null) return;
    await this.server.db.write((tx) =>
      tx.execute(
        `INSERT INTO exported_fleets (export_id, fleet_id)
         SELECT e.id, f.id FROM exports e JOIN fleets f ON f.project_id = e.project_id WHERE e.name = 'to-the-outsider' AND f.name = ?`,
        [fleet],
      ),
    );
  }

  async secret(place: Place): Promise<string> {
    const name = this.name(place);
    await this.must(`/api/project/${place}/secrets/create_or_update`, { name, value: `${name}-value` });
    return name;
  }

  async repo(place: Place): Promise<string> {
    const repo_id = this.name(place);
    const repo_creds = { clone_url: `https://example.org/${repo_id}.git`, oauth_token: `${repo_id}-token` };
    const repo_info = { repo_type: 'remote', repo_name: repo_id };
    await this.must(`/api/project/${place}/repos/init`, { repo_id, repo_info, repo_creds });
    return repo_id;
  }

  /** Of who holds the token; of nobody when that is not one. */
  async archive(token: string | null): Promise<string> {
    const upload = uploadOf(this.name('free'));
    const reply = await this.server.call('POST', '/api/files/upload_archive', { token, ...upload });
    return reply.status === 200 ? (reply.body as { id: string }).id : absentId();
  }

  async localBackend(place: Place, there: boolean): Promise<void> {
    await this.server.post(`/api/project/${place}/backends/delete`, { backends_names: ['local'] });
    if (there) await this.must(`/api/project/${place}/backends/create_yaml`, { config_yaml: 'type: local' });
  }

  async projectId(place: Place): Promise<string> {
    return ((await this.must(`/api/projects/${place}/get`, undefined)).body as { project_id: string }).project_id;
  }

  async must(path: string, body: unknown): Promise<Reply> {
    const reply = await this.server.post(path, body);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply;
  }
}

export const absentId = (): string => randomUUID();

export interface Uploaded {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function uploadOf(content: string): Uploaded {
  const hash = createHash('sha256').update(content).digest('hex');
  const body =
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${hash}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n--b--\r\n`;
  return { body, headers: { 'content-type': 'multipart/form-data; boundary=b' } };
}
