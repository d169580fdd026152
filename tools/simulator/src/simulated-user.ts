import { type BuiltWorkload, ClientError, type ProjectScope } from '@dstack/server/parts';
import type { RandomSource } from './random-source.js';
import type { ServerEpoch } from './server-epoch.js';
import type { Story } from './story.js';
import type { VirtualTime } from './virtual-time.js';

export interface Front {
  readonly epoch: ServerEpoch;
  readonly runs: BuiltWorkload['runs'];
}

const RETRY_MS = 2_000;

/** Somebody who submits tasks, stops, aborts, applies again and deletes – and asks again when no answer comes. */
export class SimulatedUser {
  pending = 0;

  constructor(
    private readonly scope: ProjectScope,
    private readonly front: () => Front | null,
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly story: Story,
  ) {}

  plan(runs: number, withinMs: number): void {
    for (let index = 0; index < runs; index += 1) {
      this.later(this.random.between(0, withinMs), () => this.submit(`task-${index}`));
    }
  }

  private submit(name: string): void {
    const { random } = this;
    const configuration = {
      type: 'task',
      name,
      commands: ['work'],
      image: random.chance(0.5) ? 'ubuntu' : undefined,
      resources: { cpu: random.chance(0.5) ? '1..' : '4..', memory: '1GB..', disk: null },
      ...(random.chance(0.4)
        ? { retry: { on_events: ['no-capacity', 'interruption', 'error'], duration: '10m' } }
        : {}),
      idle_duration: 30,
      priority: random.whole(0, 2),
      ...(random.chance(0.25) ? { nodes: random.whole(2, 3) } : {}),
      ...(random.chance(0.3) ? { max_duration: random.whole(10, 60) } : {}),
      ...(random.chance(0.3) ? { stop_duration: random.whole(1, 20) } : {}),
    };
    this.apply(name, configuration, random.uuid());
    if (random.chance(0.3)) this.later(random.between(0, 120_000), () => this.stop(name, random.chance(0.4)));
    if (random.chance(0.1)) this.later(random.between(0, 120_000), () => this.stop(name, true));
    if (random.chance(0.15)) this.later(random.between(0, 300_000), () => this.delete(name));
    if (random.chance(0.15))
      this.later(random.between(1_000, 300_000), () => this.apply(name, configuration, random.uuid()));
  }

  private apply(name: string, configuration: object, key: string): void {
    const body = { plan: { run_spec: { run_name: name, configuration }, current_resource: null }, force: true };
    this.ask(`apply ${name}`, ({ runs }) => runs.apply(this.scope, body, key));
  }

  private stop(name: string, abort: boolean): void {
    this.ask(`${abort ? 'abort' : 'stop'} ${name}`, ({ runs }) => runs.stop(this.scope, { runs_names: [name], abort }));
  }

  private delete(name: string): void {
    this.ask(`delete ${name}`, ({ runs }) => runs.delete(this.scope, { runs_names: [name] }));
  }

  private later(delayMs: number, task: () => void): void {
    this.pending += 1;
    this.time.after(delayMs, () => {
      this.pending -= 1;
      task();
    });
  }

  /** A request that dies with its server is sent again; one that is refused is not. */
  private ask(what: string, request: (front: Front) => Promise<unknown>): void {
    const front = this.front();
    if (front === null) return this.later(RETRY_MS, () => this.ask(what, request));
    this.story.tell(`user: ${this.scope.projectName} ${what}`);
    this.pending += 1;
    let isSettled = false;
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      this.pending -= 1;
      return true;
    };
    front.epoch.onEnd(() => {
      if (settle()) this.later(RETRY_MS, () => this.ask(what, request));
    });
    request(front).then(
      () => void settle(),
      (error: unknown) => {
        if (front.epoch.isDead || !settle()) return;
        if (isRefusal(error)) this.story.tell(`user: ${what} is refused: ${String(error)}`);
        else this.story.violate(`${what} failed inside the server: ${String(error)}`);
      },
    );
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ClientError || (error instanceof Error && /Error$/.test(error.name) && 'status' in error);
}
