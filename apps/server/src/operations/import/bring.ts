import { tokenHash } from '../../auth/token.js';
import { checkBackendConfig } from '../../backends/backend-config.js';
import { BackendNotInstalledError, BackendRegistry } from '../../backends/backend-registry.js';
import type { BackendConfig, BackendStore } from '../../backends/backend-store.js';
import { ClientError } from '../../http/api-errors.js';
import type { Keyring } from '../../keys/keyring.js';
import type { ReadTx, WriteTx } from '../../persistence/transaction.js';
import type { World } from '../../world/world.js';
import { OperationError } from '../operation-error.js';
import type { ImportedProject, ImportedUser, PythonState } from './python-state.js';

export interface Brought {
  /** How many rows of each kind are new here. */
  readonly counts: ReadonlyMap<string, number>;
  /** What was left out or kept as it was, and why. */
  readonly notes: readonly string[];
}

export interface BringParts {
  readonly keyring: Keyring;
  readonly backends: BackendStore;
  readonly registry: BackendRegistry;
  readonly world: World;
  /** Also into a database in which people work already. */
  readonly merges: boolean;
}

/** What a server makes at its first start: the import fills it in. */
const FIRST_USER = 'admin';
const FIRST_PROJECT = 'main';

/**
 * Writes what is not here yet. Users and projects are the same when they have the same name; what a database here already says of them stays,
 * except for the first user and project of a server in which nobody has worked yet.
 * @throws {OperationError} when somebody has worked with the database and merging was not asked for
 */
export async function bring(tx: WriteTx, state: PythonState, parts: BringParts): Promise<Brought> {
  const importing = new Import(tx, state, parts);
  return importing.run();
}

class Import {
  private readonly counts = new Map<string, number>();
  private readonly notes: string[] = [];
  private readonly userIds = new Map<string, string>();
  private readonly projectIds = new Map<string, string>();
  private readonly repoIds = new Map<string, string>();

  constructor(
    private readonly tx: WriteTx,
    private readonly state: PythonState,
    private readonly parts: BringParts,
  ) {}

  async run(): Promise<Brought> {
    const foreign = await foreignNames(this.tx, this.state);
    if (foreign.length > 0 && !this.parts.merges)
      throw new OperationError(
        `This server is not empty (${foreign.slice(0, 5).join(', ')}). Import into an empty one, or add what is missing here: --merge`,
      );
    for (const user of this.state.users) await this.user(user, foreign.length === 0);
    for (const project of this.state.projects) await this.project(project, foreign.length === 0);
    await this.publicKeys();
    await this.members();
    await this.backends();
    await this.secrets();
    await this.repos();
    return { counts: this.counts, notes: this.notes };
  }

  private async user(user: ImportedUser, isEmpty: boolean): Promise<void> {
    const { keyring } = this.parts;
    const hash = tokenHash(user.token);
    const [same] = await this.tx.query<{ id: string; token_hash: string }>(
      'SELECT id, token_hash FROM users WHERE lower(name) = lower(?) AND deleted = false',
      [user.name],
    );
    this.userIds.set(user.id, same?.id ?? user.id);
    const privateKey = user.sshPrivateKey === null ? null : keyring.encrypt(user.sshPrivateKey);
    if (same === undefined) {
      await this.insert('users', {
        id: user.id,
        name: user.name,
        token_hash: hash,
        token: keyring.encrypt(user.token),
        global_role: user.globalRole,
        active: user.active,
        email: user.email,
        projects_quota: user.projectsQuota,
        ssh_public_key: user.sshPublicKey,
        ssh_private_key: privateKey,
        created_at: user.createdAt,
      });
    } else if (same.token_hash === hash) return;
    else if (isEmpty && user.name === FIRST_USER) {
      await this.tx.execute(
        'UPDATE users SET token_hash = ?, token = ?, email = ?, ssh_public_key = ?, ssh_private_key = ? WHERE id = ?',
        [hash, keyring.encrypt(user.token), user.email, user.sshPublicKey, privateKey, same.id],
      );
      this.notes.push(`User ${FIRST_USER} has the token and keys of that server now`);
    } else this.notes.push(`User ${user.name} is here already and keeps the token of this server`);
  }

  private async project(project: ImportedProject, isEmpty: boolean): Promise<void> {
    const { keyring } = this.parts;
    const [same] = await this.tx.query<{ id: string; ssh_public_key: string }>(
      'SELECT id, ssh_public_key FROM projects WHERE lower(name) = lower(?) AND deleted = false',
      [project.name],
    );
    this.projectIds.set(project.id, same?.id ?? project.id);
    const ownerId = this.userIds.get(project.ownerId) ?? (await this.adminId());
    if (same === undefined) {
      if (!this.userIds.has(project.ownerId))
        this.notes.push(`Project ${project.name} belongs to ${FIRST_USER} now: its owner was deleted`);
      await this.insert('projects', {
        id: project.id,
        name: project.name,
        owner_id: ownerId,
        is_public: project.isPublic,
        ssh_public_key: project.sshPublicKey,
        ssh_private_key: keyring.encrypt(project.sshPrivateKey),
        templates_repo: project.templatesRepo,
        created_at: project.createdAt,
      });
    } else if (same.ssh_public_key === project.sshPublicKey) return;
    else if (isEmpty && project.name === FIRST_PROJECT)
      await this.tx.execute(
        'UPDATE projects SET owner_id = ?, is_public = ?, ssh_public_key = ?, ssh_private_key = ?, templates_repo = ? WHERE id = ?',
        [ownerId, project.isPublic, project.sshPublicKey, keyring.encrypt(project.sshPrivateKey), project.templatesRepo, same.id],
      ); // prettier-ignore
    else this.notes.push(`Project ${project.name} is here already and keeps its keys and settings`);
  }

  private async adminId(): Promise<string> {
    const [admin] = await this.tx.query<{ id: string }>('SELECT id FROM users WHERE name = ? AND deleted = false', [
      FIRST_USER,
    ]);
    if (admin === undefined) throw new OperationError(`That database has no user ${FIRST_USER}.`);
    return admin.id;
  }

  private async publicKeys(): Promise<void> {
    for (const { userId, id, name, type, fingerprint, key, createdAt } of this.state.publicKeys) {
      const user = this.userIds.get(userId);
      if (user === undefined) continue; // of a deleted user
      await this.insert(
        'user_public_keys',
        { id, user_id: user, name, type, fingerprint, public_key: key, created_at: createdAt },
        'user_id, fingerprint',
      );
    }
  }

  private async members(): Promise<void> {
    for (const [num, { projectId, userId, role }] of this.state.members.entries()) {
      const [project, user] = [this.projectIds.get(projectId), this.userIds.get(userId)];
      if (project === undefined || user === undefined) continue;
      const id = this.parts.world.ids.uuid();
      await this.insert(
        'members',
        { id, project_id: project, user_id: user, project_role: role, member_num: num },
        'project_id, user_id',
      );
    }
  }

  private async backends(): Promise<void> {
    for (const { projectId, config } of this.state.backends) {
      const project = this.projectIds.get(projectId);
      if (project === undefined) continue;
      const what = `Backend ${config.type} of project ${this.nameOf(projectId)}`;
      const stored = await this.parts.backends.list(this.tx, project);
      if (stored.some(({ type }) => type === config.type)) continue;
      const usable = await this.usable(config, what);
      if (usable === null) continue;
      await this.parts.backends.put(this.tx, project, usable);
      this.count('backends');
    }
  }

  private async usable(config: BackendConfig, what: string): Promise<BackendConfig | null> {
    try {
      // Which credentials it may have, the server says when it opens it.
      return checkBackendConfig(await this.parts.registry.definition(config.type), config, {
        ambientCredentials: true,
      });
    } catch (error) {
      if (!(error instanceof ClientError) && !(error instanceof BackendNotInstalledError)) throw error;
      const reason = error instanceof ClientError ? error.message : 'there is no such backend here';
      this.notes.push(`${what} is left: ${reason}`);
      return null;
    }
  }

  private async secrets(): Promise<void> {
    const { keyring, world } = this.parts;
    for (const { projectId, name, value } of this.state.secrets) {
      const project = this.projectIds.get(projectId);
      if (project === undefined) continue;
      const [same] = await this.tx.query<{ value: string }>(
        'SELECT value FROM secrets WHERE project_id = ? AND name = ?',
        [project, name],
      );
      if (same !== undefined) {
        if (keyring.tryDecrypt(same.value) !== value)
          this.notes.push(`Secret ${name} of project ${this.nameOf(projectId)} has another value here, which stays`);
        continue;
      }
      const now = world.clock.now();
      await this.insert('secrets', {
        id: world.ids.uuid(),
        project_id: project,
        name,
        value: keyring.encrypt(value),
        created_at: now,
        updated_at: now,
      });
    }
  }

  private async repos(): Promise<void> {
    const { keyring, world } = this.parts;
    for (const { id, projectId, name, type, info } of this.state.repos) {
      const project = this.projectIds.get(projectId);
      if (project === undefined) continue;
      await this.insert(
        'repos',
        { id, project_id: project, name, type, info, created_at: world.clock.now() },
        'project_id, name',
      );
      const [row] = await this.tx.query<{ id: string }>('SELECT id FROM repos WHERE project_id = ? AND name = ?', [
        project,
        name,
      ]);
      if (row !== undefined) this.repoIds.set(id, row.id);
    }
    for (const { repoId, userId, creds } of this.state.repoCreds) {
      const [repo, user] = [this.repoIds.get(repoId), this.userIds.get(userId)];
      if (repo === undefined || user === undefined) continue;
      await this.insert(
        'repo_creds',
        { id: world.ids.uuid(), repo_id: repo, user_id: user, creds: keyring.encrypt(creds) },
        'repo_id, user_id',
      );
    }
  }

  private async insert(
    table: string,
    row: Readonly<Record<string, string | number | boolean | null>>,
    unique?: string,
  ): Promise<void> {
    const columns = Object.keys(row);
    const skip = unique === undefined ? '' : ` ON CONFLICT (${unique}) DO NOTHING`;
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})${skip}`;
    const written = await this.tx.execute(sql, Object.values(row));
    if (written > 0) this.count(KIND[table] ?? table);
  }

  private count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  private nameOf(projectId: string): string {
    return this.state.projects.find(({ id }) => id === projectId)?.name ?? projectId;
  }
}

const KIND: Readonly<Record<string, string>> = {
  user_public_keys: 'public keys of users',
  repo_creds: 'credentials of repos',
};

/** Users and projects that neither that server nor the first start of this one made. */
async function foreignNames(tx: ReadTx, state: PythonState): Promise<string[]> {
  const known = new Set([...state.users, ...state.projects].map(({ id }) => id));
  const users = await tx.query<{ id: string; name: string }>('SELECT id, name FROM users WHERE deleted = false');
  const projects = await tx.query<{ id: string; name: string }>('SELECT id, name FROM projects WHERE deleted = false');
  const worked = await tx.query('SELECT 1 AS one FROM runs UNION ALL SELECT 1 FROM fleets LIMIT 1');
  return [
    ...users.filter(({ id, name }) => !known.has(id) && name !== FIRST_USER).map(({ name }) => `user ${name}`),
    ...projects.filter(({ id, name }) => !known.has(id) && name !== FIRST_PROJECT).map(({ name }) => `project ${name}`),
    ...(worked.length > 0 ? ['it has runs or fleets'] : []),
  ];
}
