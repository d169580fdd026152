import type { SpoolWriter } from '../spool/spool-writer.js';

/** The agent's own words about a job, for `dstack logs -d`. Never given environments, credentials or file contents. */
export class RunnerLog {
  constructor(
    private readonly spool: SpoolWriter,
    private readonly now: () => number,
  ) {}

  info(message: string): void {
    this.write('info', message);
  }

  warn(message: string): void {
    this.write('warn', message);
  }

  private write(level: string, message: string): void {
    this.spool.append(Buffer.from(`${new Date(this.now()).toISOString()} ${level} ${message}\n`));
  }
}
