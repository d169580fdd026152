/** What happened, in order; kept only where somebody reads it. */
export class Story {
  readonly lines: string[] = [];
  readonly violations: string[] = [];

  constructor(
    private readonly now: () => number,
    private readonly startedAt: number,
    readonly isKept: boolean,
    /** Says what people call the thing with this id. */
    private readonly nameOf: (id: string) => string | undefined,
  ) {}

  tell(text: string): void {
    if (!this.isKept) return;
    const seconds = ((this.now() - this.startedAt) / 1000).toFixed(3).padStart(10);
    this.lines.push(`${seconds}  ${this.named(text)}`);
  }

  /** A promise of the system was broken. The same one is told once. */
  violate(text: string): void {
    const named = this.named(text);
    if (this.violations.includes(named)) return;
    this.violations.push(named);
    this.tell(`VIOLATION ${text}`);
  }

  private named(text: string): string {
    return text.replace(UUIDS, (id) => this.nameOf(id) ?? id);
  }
}

const UUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
