import { randomUUID } from 'node:crypto';
import type { Database, ProjectScope } from '@dstack/server/parts';

const NAME = 'bench';

/** The one project of the database; made with its owner when it is not there yet. */
export async function benchProject(db: Database): Promise<ProjectScope> {
  return db.write(async (tx) => {
    const [known] = await tx.query<{ id: string; owner_id: string }>('SELECT id, owner_id FROM projects', []);
    const projectId = known?.id ?? randomUUID();
    const caller = { id: known?.owner_id ?? randomUUID(), name: 'somebody', globalRole: 'admin' } as const;
    if (known === undefined) {
      await tx.execute(
        `INSERT INTO users (id, name, token_hash, token, global_role, projects_quota, ssh_public_key, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [caller.id, caller.name, caller.id, 'token', 'admin', 10, 'ssh-ed25519 AAAA bench', 1],
      );
      await tx.execute(
        'INSERT INTO projects (id, name, owner_id, ssh_public_key, ssh_private_key, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        [projectId, NAME, caller.id, 'ssh-ed25519 AAAA project', '', 1],
      );
      await tx.execute('INSERT INTO repos (id, project_id, name, type, info, created_at) VALUES (?, ?, ?, ?, ?, ?)', [
        randomUUID(),
        projectId,
        'none',
        'virtual',
        '{"repo_type":"virtual"}',
        1,
      ]);
    }
    return { projectId, projectName: NAME, isPublic: false, ownerId: caller.id, caller, role: 'admin' };
  });
}
