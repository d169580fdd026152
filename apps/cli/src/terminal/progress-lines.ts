import { formatClock } from '../render/duration.js';
import type { CliContext } from './context.js';

export interface ProgressLine {
  readonly key: string;
  readonly text: string;
  /** It does not change any more by itself. */
  readonly isSettled: boolean;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const TICK_MS = 150;
const ROWS_KEPT_FREE = 3;
const FEWEST_ROWS = 3;

/** Several things that happen at once, a line each on stderr: redrawn with a clock on a terminal, else printed as they change. */
export class ProgressLines {
  private lines: readonly ProgressLine[] = [];
  private readonly printed = new Map<string, string>();
  private drawn = 0;
  private frame = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly startedAt: number;

  constructor(private readonly context: CliContext) {
    this.startedAt = context.now();
  }

  update(lines: readonly ProgressLine[]): void {
    this.lines = lines;
    if (!this.context.stderrIsTty) return this.print();
    this.timer ??= setInterval(() => this.draw(), TICK_MS);
    this.draw();
  }

  /** Takes the lines away. */
  clear(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.drawn > 0) process.stderr.write(`\u001b[${this.drawn}A\u001b[0J`);
    this.drawn = 0;
  }

  private print(): void {
    for (const { key, text } of this.lines) {
      // A log has no use for every percent.
      const step = text.replace(/,? \d+ ?%/, '');
      if (this.printed.get(key) === step) continue;
      this.printed.set(key, step);
      process.stderr.write(`${text}, ${this.clock()}\n`);
    }
  }

  private draw(): void {
    this.frame += 1;
    const rows = visibleLines(this.lines, Math.max(FEWEST_ROWS, (process.stderr.rows ?? 24) - ROWS_KEPT_FREE));
    const width = Math.max(10, this.context.width() - 1);
    const texts = rows.map((line) => clip(this.text(line), width));
    const up = this.drawn > 0 ? `\u001b[${this.drawn}A` : '';
    process.stderr.write(`${up}\u001b[0J${texts.map((text) => `${text}\n`).join('')}`);
    this.drawn = texts.length;
  }

  private text({ text, isSettled }: ProgressLine): string {
    return isSettled ? `  ${text}` : `${FRAMES[this.frame % FRAMES.length] ?? ''} ${text}, ${this.clock()}`;
  }

  private clock(): string {
    return formatClock(this.context.now() - this.startedAt);
  }
}

/** Where not all have room, what goes on is shown before what is settled, and the rest is counted. Pure. */
export function visibleLines(lines: readonly ProgressLine[], rows: number): ProgressLine[] {
  if (lines.length <= rows) return [...lines];
  const first = [...lines.filter((line) => !line.isSettled), ...lines.filter((line) => line.isSettled)].slice(
    0,
    rows - 1,
  );
  const shown = lines.filter((line) => first.includes(line));
  return [...shown, { key: '', text: `… and ${lines.length - shown.length} more`, isSettled: true }];
}

function clip(text: string, width: number): string {
  const points = [...text];
  return points.length <= width ? text : `${points.slice(0, width - 1).join('')}…`;
}
