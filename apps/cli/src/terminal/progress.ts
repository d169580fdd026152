import { formatClock } from '../render/duration.js';
import type { CliContext } from './context.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const TICK_MS = 100;

/** One status line on stderr: redrawn with a clock on a terminal, else printed once per change. */
export class Progress {
  private text = '';
  private frame = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly startedAt: number;

  constructor(
    private readonly context: CliContext,
    private readonly options: { clock?: boolean } = {},
  ) {
    this.startedAt = context.now();
  }

  update(text: string): void {
    if (text === this.text) return;
    this.text = text;
    if (!this.context.stderrIsTty) {
      if (this.options.clock) process.stderr.write(`${this.line()}\n`);
      return;
    }
    this.timer ??= setInterval(() => this.draw(), TICK_MS);
    this.draw();
  }

  /** Takes the line away. */
  clear(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.context.stderrIsTty && this.text !== '') process.stderr.write('\r\u001b[2K');
    this.text = '';
  }

  private draw(): void {
    const frame = FRAMES[this.frame++ % FRAMES.length] ?? '';
    const line = [...`${frame} ${this.line()}`].slice(0, Math.max(10, this.context.width() - 1)).join('');
    process.stderr.write(`\r\u001b[2K${line}`);
  }

  private line(): string {
    return this.options.clock ? `${this.text}, ${formatClock(this.context.now() - this.startedAt)}` : this.text;
  }
}

/** Shows `text` while the work goes on. */
export async function withProgress<T>(context: CliContext, text: string, work: () => Promise<T>): Promise<T> {
  const progress = new Progress(context);
  progress.update(text);
  try {
    return await work();
  } finally {
    progress.clear();
  }
}
