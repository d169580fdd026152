import { type BuiltWorkload, ClientError, type ProjectScope } from '@dstack/server/parts';
import type { RandomSource } from './random-source.js';
import type { ServerEpoch } from './server-epoch.js';
import type { Story } from './story.js';
import type { VirtualTime } from './virtual-time.js';

export interface Front {
  readonly epoch: ServerEpoch;
  readonly runs: BuiltWorkload['runs'];
  readonly fleets: BuiltWorkload['fleets'];
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

  /** Gives two hosts of his own, changes his mind about them now and then, and takes them back when everything else is over. */
  planHosts(withinMs: number): void {
    const { random } = this;
    const hosts = [0, 1, 2].map((index) => `${this.scope.projectName}-${index}`);
    this.later(random.between(0, withinMs / 2), () => this.applyHosts(hosts.slice(0, 2)));
    for (let change = 0; change < 2; change += 1) {
      const wanted = hosts.filter(() => random.chance(0.6));
      this.later(random.between(withinMs / 2, withinMs), () => this.applyHosts(wanted.length > 0 ? wanted : hosts));
    }
    this.later(withinMs * 1.5, () => this.deleteHosts());
  }

  private applyHosts(hosts: readonly string[]): void {
    const ssh_config = { user: 'u', ssh_key: { public: 'ssh-ed25519 AAAA', private: 'key' }, hosts: [...hosts] };
    const spec = { configuration: { type: 'fleet' as const, name: 'own', ssh_config }, profile: { name: 'default' } };
    const force = this.random.chance(0.5);
    this.ask(`apply hosts ${hosts.join(', ')}${force ? ' by force' : ''}`, async ({ fleets }) => {
      const current = await fleets.get(this.scope, { name: 'own' }).catch(() => null);
      await fleets.apply(this.scope, { plan: { spec, current_resource: current }, force });
    });
  }

  private deleteHosts(): void {
    this.ask(
      'delete the hosts',
      ({ fleets }) => fleets.delete(this.scope, { names: ['own'] }),
      (refusal) => {
        if (!refusal.includes('not found')) this.later(30_000, () => this.deleteHosts());
      },
    );
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
  private ask(
    what: string,
    request: (front: Front) => Promise<unknown>,
    onRefusal: (message: string) => void = () => undefined,
  ): void {
    const front = this.front();
    if (front === null) return this.later(RETRY_MS, () => this.ask(what, request, onRefusal));
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
      if (settle()) this.later(RETRY_MS, () => this.ask(what, request, onRefusal));
    });
    request(front).then(
      () => void settle(),
      (error: unknown) => {
        if (front.epoch.isDead || !settle()) return;
        if (isRefusal(error)) {
          this.story.tell(`user: ${what} is refused: ${String(error)}`);
          onRefusal(String(error));
        } else this.story.violate(`${what} failed inside the server: ${String(error)}`);
      },
    );
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ClientError || (error instanceof Error && /Error$/.test(error.name) && 'status' in error);
}
