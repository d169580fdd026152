import { Injectable, Logger } from '@nestjs/common';
import { BackendAccounts } from '../backends/backend-accounts.js';
import { Database } from '../persistence/database.js';

const MAX_PROJECTS = 20;

/** Where the projects can run things, one line each. */
@Injectable()
export class BackendsLog {
  private readonly log = new Logger('Backends');

  constructor(
    private readonly db: Database,
    private readonly accounts: BackendAccounts,
  ) {}

  async write(): Promise<void> {
    const projects = await this.db.read((tx) =>
      tx.query<{ id: string; name: string }>(
        'SELECT id, name FROM projects WHERE deleted = false ORDER BY created_at, name LIMIT ?',
        [MAX_PROJECTS],
      ),
    );
    for (const { id, name } of projects) this.log.log(`Project ${name}: ${await this.accounts.describe(id)}`);
  }
}
