import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { type CliContext, processContext } from '../terminal/context.js';

/** A command. It returns its result, which `--json` prints as it is. */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    help: Flags.boolean({ char: 'h', summary: 'Show help', helpGroup: 'GLOBAL' }),
  };

  protected readonly context: CliContext = processContext();

  /** Errors go to the one place that prints them. */
  protected override catch(error: Error): Promise<never> {
    return Promise.reject(error);
  }

  override jsonEnabled(): boolean {
    return this.wantsJson(this.argv);
  }

  private wantsJson(argv: readonly string[]): boolean {
    const end = argv.indexOf('--');
    const own = end < 0 ? argv : argv.slice(0, end);
    const format = own.indexOf('--format');
    return own.includes('--json') || own.includes('--format=json') || (format >= 0 && own[format + 1] === 'json');
  }

  /** Prints a rendered text, unless the result is printed as JSON. */
  protected print(text: string): void {
    if (!this.jsonEnabled() && text !== '') process.stdout.write(`${text}\n`);
  }

  /** A remark beside the result. */
  protected note(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
