import type { JobPhase, JobState } from '@dstack/agent-protocol';
import { readOwnJson } from '../files/read-own-json.js';
import { whenDiskHasRoom } from '../files/when-disk-has-room.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';

const ORDER: readonly JobPhase[] = [
  'waiting',
  'preparing',
  'pulling',
  'creating',
  'starting',
  'running',
  'stopping',
  'finished',
];

export type JobStatePatch = Partial<Omit<JobState, 'id' | 'revision' | 'phaseAt'>>;

/** The next state; undefined when nothing changes. Phases never go back, and a finished job never changes. */
export function advanceState(state: JobState, patch: JobStatePatch, now: number): JobState | undefined {
  if (state.phase === 'finished') return undefined;
  const wanted = patch.phase ?? state.phase;
  const phase = ORDER.indexOf(wanted) < ORDER.indexOf(state.phase) ? state.phase : wanted;
  const next: JobState = { ...state, ...patch, phase, phaseAt: phase === state.phase ? state.phaseAt : now };
  if (JSON.stringify(next) === JSON.stringify(state)) return undefined;
  return { ...next, revision: state.revision + 1 };
}

/** A job's state on disk: told to others only once it is durable there, so a restart never takes back what was said. */
export class JobStateStore {
  private durable: JobState;
  private latest: JobState;
  private saving: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<(state: JobState) => void>();

  constructor(
    private readonly path: string,
    initial: JobState,
    private readonly now: () => number,
  ) {
    this.durable = initial;
    this.latest = initial;
  }

  static async read(path: string): Promise<JobState | undefined> {
    const value = await readOwnJson(path);
    return typeof value === 'object' && value !== null && 'revision' in value ? (value as JobState) : undefined;
  }

  get state(): JobState {
    return this.durable;
  }

  async save(): Promise<void> {
    await whenDiskHasRoom(() => writeFileAtomically(this.path, JSON.stringify(this.latest)));
  }

  update(patch: JobStatePatch): Promise<void> {
    const next = advanceState(this.latest, patch, this.now());
    if (next !== undefined) {
      this.latest = next;
      this.saving = this.saving.then(async () => {
        await whenDiskHasRoom(() => writeFileAtomically(this.path, JSON.stringify(next)));
        this.durable = next;
        for (const listener of this.listeners) listener(next);
      });
    }
    return this.saving;
  }

  onChange(listener: (state: JobState) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
