import { Injectable } from '@nestjs/common';
import type { WriteTx } from '../persistence/transaction.js';

export interface CreatedProject {
  readonly id: string;
  readonly name: string;
  /** Null: the server itself. */
  readonly createdBy: string | null;
}

export type ProjectHook = (tx: WriteTx, project: CreatedProject) => Promise<void>;

/** What other modules add to a new project, in the transaction that creates it. */
@Injectable()
export class ProjectHooks {
  private readonly hooks: ProjectHook[] = [];

  onCreated(hook: ProjectHook): void {
    this.hooks.push(hook);
  }

  async created(tx: WriteTx, project: CreatedProject): Promise<void> {
    for (const hook of this.hooks) await hook(tx, project);
  }
}
