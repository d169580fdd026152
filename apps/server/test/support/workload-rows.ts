import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/persistence/database.js';

export interface SeededJob {
  readonly userId: string;
  readonly projectId: string;
  readonly runId: string;
  readonly jobId: string;
}

/** The least rows a job's row needs around it. */
export async function seedJob(db: Database, names = { project: 'main', run: 'train' }): Promise<SeededJob> {
  const [userId, projectId, runId, jobId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  await db.write(async (tx) => {
    await tx.execute(
      'INSERT INTO users (id, name, token_hash, token, global_role, projects_quota, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [userId, `user-${userId}`, userId, 'token', 'user', 10, 1],
    );
    await tx.execute(
      'INSERT INTO projects (id, name, owner_id, ssh_public_key, ssh_private_key, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      [projectId, names.project, userId, '', '', 1],
    );
    await tx.execute(
      'INSERT INTO runs (id, project_id, user_id, name, submitted_at, status, status_changed_at, run_spec) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      [runId, projectId, userId, names.run, 1, 'running', 1, '{"configuration":{"type":"task"}}'],
    );
    await tx.execute(
      'INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      [jobId, runId, projectId, 0, 0, 0, 'running', 1, 1, '{}'],
    );
  });
  return { userId, projectId, runId, jobId };
}
