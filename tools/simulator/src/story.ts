/** What happened, in order; printed with `--trace` and kept short otherwise. */
export class Story {
  readonly lines: string[] = [];
  readonly violations: string[] = [];

  constructor(
    private readonly now: () => number,
    private readonly startedAt: number,
  ) {}

  tell(text: string): void {
    this.lines.push(`${((this.now() - this.startedAt) / 1000).toFixed(3).padStart(10)}  ${text}`);
  }

  /** A promise of the system was broken. The same one is told once. */
  violate(text: string): void {
    if (this.violations.includes(text)) return;
    this.violations.push(text);
    this.tell(`VIOLATION ${text}`);
  }
}
