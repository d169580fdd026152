import { createHash } from 'node:crypto';
import { type Database, type ProjectScope } from '@dstack/server/parts';
import type { RandomSource } from '../random-source.js';

/** A user and the projects, without backends. */
export async function seedProjects(
  db: Database,
  random: RandomSource,
  names: readonly string[],
): Promise<ProjectScope[]> {
  const caller = { id: random.uuid(), name: 'somebody', globalRole: 'admin' } as const;
  return db.write(async (tx) => {
    await tx.execute(
      'INSERT INTO users (id, name, token_hash, token, global_role, projects_quota, ssh_public_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      [
        caller.id,
        caller.name,
        createHash('sha256').update(caller.id).digest('hex'),
        'token',
        'admin',
        10,
        'ssh-ed25519 AAAA simulated',
        1,
      ],
    );
    const scopes: ProjectScope[] = [];
    for (const name of names) {
      const projectId = random.uuid();
      await tx.execute(
        'INSERT INTO projects (id, name, owner_id, ssh_public_key, ssh_private_key, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        [projectId, name, caller.id, 'ssh-ed25519 AAAA project', '', 1],
      );
      await tx.execute('INSERT INTO repos (id, project_id, name, type, info, created_at) VALUES (?, ?, ?, ?, ?, ?)', [
        random.uuid(),
        projectId,
        'none',
        'virtual',
        '{"repo_type":"virtual"}',
        1,
      ]);
      scopes.push({ projectId, projectName: name, isPublic: false, ownerId: caller.id, caller, role: 'admin' });
    }
    return scopes;
  });
}
