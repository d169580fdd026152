import { drawTask } from './draw-task.js';
import type { SimulatedUser } from './simulated-user.js';

const ENDING: ReadonlySet<string> = new Set(['terminating', 'terminated', 'failed', 'done']);
/** A run with a schedule would be back by then. */
const STAYS_ENDED_MS = 60_000;
/** A turn begins every two minutes. */
const TURN_MS = 150_000;
const LOOK_AGAIN_MS = 500;

type Task = Readonly<Record<string, unknown>>;

/** Submits tasks; stops, aborts, changes, applies again and deletes some of them. */
export function planTasks(user: SimulatedUser, count: number, withinMs: number): void {
  for (let index = 0; index < count; index += 1)
    user.later(user.random.between(0, withinMs), () => submit(user, `task-${index}`));
}

function submit(user: SimulatedUser, name: string): void {
  const { random } = user;
  const task = drawTask(name, random);
  const within = (probability: number, ms: number, act: () => void): void => {
    if (random.chance(probability)) user.later(random.between(0, ms), act);
  };
  let open = 0;
  const submitted = (spec: Task): void => {
    open += 1;
    apply(user, spec, () => (open -= 1));
  };
  submitted(task);
  within(0.3, 120_000, () => stop(user, name, random.chance(0.4)));
  within(0.1, 120_000, () => stop(user, name, true));
  within(0.15, 300_000, () => remove(user, name));
  within(0.15, 300_000, () => submitted(task));
  within(0.15, 300_000, () => submitted({ ...task, priority: 3 }));
  within(0.1, 300_000, () => submitted({ ...task, commands: ['work', 'more'] }));
  // It would go on for ever.
  if ('schedule' in task) {
    user.later(random.between(150_000, 400_000), () =>
      random.chance(0.5) ? stopAfterTurn(user, name) : stop(user, name, random.chance(0.3)),
    );
    const stopForGood = (): void => {
      stop(user, name, true);
      // Whoever has waited for a server until now begins it anew.
      if (open > 0) user.later(60_000, stopForGood);
    };
    user.later(420_000, stopForGood);
  }
}

export function apply(user: SimulatedUser, task: Task, onEnd: () => void = () => undefined): void {
  const name = String(task.name);
  const key = user.random.uuid();
  const body = { plan: { run_spec: { run_name: name, configuration: task }, current_resource: null }, force: true };
  user.ask(`apply ${name}`, ({ runs }) => runs.apply(user.scope, body, key), onEnd);
}

/** Who was told that it stops looks whether it does. */
export function stop(user: SimulatedUser, name: string, abort: boolean): void {
  let stopped = '';
  user.ask(
    `${abort ? 'abort' : 'stop'} ${name}`,
    async ({ runs }) => {
      const { id } = await runs.get(user.scope, { run_name: name });
      await runs.stop(user.scope, { runs_names: [name], abort });
      stopped = id;
    },
    (refusal) => {
      if (refusal !== null) return;
      expectEnd(user, stopped, name);
      user.later(STAYS_ENDED_MS, () => expectEnd(user, stopped, name));
    },
  );
}

/** Waits for a turn of a scheduled run to end, and stops it just then. */
function stopAfterTurn(user: SimulatedUser, name: string, looksLeft = TURN_MS / LOOK_AGAIN_MS): void {
  let status = '';
  user.ask(
    `wait for the end of a turn of ${name}`,
    async ({ runs }) => ({ status } = await runs.get(user.scope, { run_name: name })),
    (refusal) => {
      if (refusal !== null || looksLeft <= 0 || status === 'terminating') stop(user, name, false);
      else user.later(LOOK_AGAIN_MS, () => stopAfterTurn(user, name, looksLeft - 1));
    },
  );
}

function expectEnd(user: SimulatedUser, id: string, name: string): void {
  user.ask(`look at ${name}`, async ({ runs }) => {
    const { status } = await runs.get(user.scope, { id });
    if (!ENDING.has(status)) user.complain(`${name} was stopped, and is ${status}`);
  });
}

function remove(user: SimulatedUser, name: string): void {
  user.ask(`delete ${name}`, ({ runs }) => runs.delete(user.scope, { runs_names: [name] }));
}
