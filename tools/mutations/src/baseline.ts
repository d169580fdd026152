import type { Told } from './told.js';

/** What the server as it is makes of each seed; every seed is told once. */
export class Baseline {
  private readonly known = new Map<number, Promise<Told>>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly tell: (seed: number) => Promise<Told>) {}

  of(seed: number): Promise<Told> {
    const known = this.known.get(seed);
    if (known !== undefined) return known;
    const told = this.last.then(() => this.tell(seed));
    this.last = told.catch(() => undefined);
    this.known.set(seed, told);
    return told;
  }

  /** The seeds whose stories go wrong without any defect: they show nothing. */
  async unclean(): Promise<{ readonly seed: number; readonly violation: string }[]> {
    const told = await Promise.all([...this.known].map(async ([seed, each]) => ({ seed, ...(await each) })));
    return told.flatMap(({ seed, violations: [violation] }) => (violation === undefined ? [] : [{ seed, violation }]));
  }
}
