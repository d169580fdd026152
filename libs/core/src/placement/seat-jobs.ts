import type { PlacementJob } from './placement-input.js';

/** An existing instance that could take a job. */
interface Option {
  readonly instance: { readonly id: string };
}

/**
 * Seats as many jobs as can be, each on an instance of its own and on the first of its options that is left. A job moves to another of its
 * options where that makes room for one that has no other: a task whose nodes want different machines must not miss a seat it could have.
 */
export function seatJobs<O extends Option>(
  jobs: readonly PlacementJob[],
  optionsOf: (job: PlacementJob) => readonly O[],
): Map<string, O> {
  const seats = new Map<string, O>();
  const sitters = new Map<string, PlacementJob>();
  const sit = (job: PlacementJob, option: O): true => {
    seats.set(job.id, option);
    sitters.set(option.instance.id, job);
    return true;
  };
  const seat = (job: PlacementJob, tried: Set<string>): boolean => {
    const options = optionsOf(job);
    const free = options.find((option) => !sitters.has(option.instance.id));
    if (free !== undefined) return sit(job, free);
    return options.some((option) => {
      if (tried.has(option.instance.id)) return false;
      tried.add(option.instance.id);
      const sitter = sitters.get(option.instance.id);
      return sitter !== undefined && sitter.ask !== job.ask && seat(sitter, tried) && sit(job, option);
    });
  };
  for (const job of jobs) seat(job, new Set());
  return seats;
}
