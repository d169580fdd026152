import { Inject, Injectable } from '@nestjs/common';
import type { ProjectRole } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { importGlobalExports } from '../sharing/global-exports.js';
import { generateKeyPair } from '../ssh-keys/generate-key-pair.js';
import { WORLD, type World } from '../world/world.js';
import { projectTarget } from './project-target.js';

const PROJECT_NAME = /^[a-zA-Z0-9_-]{1,50}$/;

export interface ProjectRow {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string;
  readonly is_public: boolean;
  readonly templates_repo: string | null;
  readonly created_at: number;
}

export const PROJECT_COLUMNS = 'p.id, p.name, p.owner_id, p.is_public, p.templates_repo, p.created_at';

export interface NewProject {
  readonly name: string;
  readonly ownerId: string;
  readonly isPublic: boolean;
  readonly templatesRepo: string | null;
  readonly createdBy: string | null;
}

/** The rows of projects and members; callers bring the transaction. */
@Injectable()
export class ProjectStore {
  constructor(
    private readonly keyring: Keyring,
    private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async find(tx: ReadTx, name: string): Promise<ProjectRow | undefined> {
    const [row] = await tx.query<ProjectRow>(
      `SELECT ${PROJECT_COLUMNS} FROM projects p WHERE p.name = ? AND p.deleted = false`,
      [name],
    );
    return row;
  }

  async get(tx: ReadTx, name: string): Promise<ProjectRow> {
    const row = await this.find(tx, name);
    if (row === undefined) throw new ResourceNotExistsError(`Project ${name} not found`);
    return row;
  }

  async create(tx: WriteTx, project: NewProject): Promise<ProjectRow> {
    if (!PROJECT_NAME.test(project.name))
      throw new ClientError('Project name should match regex ^[a-zA-Z0-9-_]{1,50}$ (letters, digits, - and _)');
    const taken = await tx.query('SELECT id FROM projects WHERE lower(name) = lower(?)', [project.name]);
    if (taken.length > 0)
      throw new ResourceExistsError(`Project ${project.name} exists (names differ by more than case)`);
    const id = this.world.ids.uuid();
    const keys = generateKeyPair('dstack');
    await tx.execute(
      `INSERT INTO projects (id, name, owner_id, is_public, ssh_public_key, ssh_private_key, templates_repo, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        id,
        project.name,
        project.ownerId,
        project.isPublic,
        keys.publicKey,
        this.keyring.encrypt(keys.privateKey),
        project.templatesRepo,
        this.world.clock.now(),
      ],
    );
    await this.setMember(tx, id, project.ownerId, 'admin', 0);
    await importGlobalExports(tx, this.world, id);
    await this.events.record(tx, {
      message: 'Project created',
      actorId: project.createdBy ?? project.ownerId,
      targets: [projectTarget(id, project.name)],
    });
    return this.get(tx, project.name);
  }

  async setMember(tx: WriteTx, projectId: string, userId: string, role: ProjectRole, num: number): Promise<void> {
    await tx.execute(
      `INSERT INTO members (id, project_id, user_id, project_role, member_num) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (project_id, user_id) DO UPDATE SET project_role = excluded.project_role`,
      [this.world.ids.uuid(), projectId, userId, role, num],
    );
  }
}
