import type { Wire } from '@dstack/sdk';
import { pendingReasons } from '../render/pending-reasons.js';
import type { CliContext } from '../terminal/context.js';
import type { Progress } from '../terminal/progress.js';
import { wrapText } from '../terminal/wrap.js';

/** Tells on stderr why a run waits, once, and again when that has changed. */
export class ReasonNotes {
  private told = '';

  constructor(private readonly context: CliContext) {}

  tell(run: Wire.Run, progress: Progress): void {
    const reasons = pendingReasons(run);
    const key = reasons.join('\n');
    if (key === this.told) return;
    this.told = key;
    if (reasons.length === 0) return;
    progress.clear();
    const lines = reasons.flatMap((reason) => wrapText(reason, this.context.width(), { first: ' - ', rest: '   ' }));
    process.stderr.write(`${['No capacity yet:', ...lines].join('\n')}\n`);
  }
}
