import { AgentUnreachableError } from '@dstack/agent-protocol';

/** One connection from one server to one agent; it breaks as a whole. */
export class Link {
  private broken: Error | null = null;
  readonly waiting = new Set<() => void>();

  break(why: string): void {
    this.broken ??= new AgentUnreachableError(why);
    this.wake();
  }

  assertWhole(): void {
    if (this.broken !== null) throw this.broken;
  }

  wake(): void {
    const tasks = [...this.waiting];
    this.waiting.clear();
    for (const task of tasks) task();
  }
}
