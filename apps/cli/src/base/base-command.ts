import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import * as Flags from '@oclif/core/flags';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { type CliContext, processContext } from '../terminal/context.js';
import { BareConfig } from './bare-config.js';

type Values = Record<string, unknown>;

/** A command. It returns its result, which `--json` prints as it is. */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    help: Flags.boolean({ char: 'h', summary: 'Show help', helpGroup: 'GLOBAL' }),
  };

  protected readonly context: CliContext = processContext();

  static override async run<T extends Command>(
    this: new (argv: string[], config: Config) => T,
    argv: string[] = [],
    options?: { readonly root: string },
  ): Promise<ReturnType<T['run']>> {
    const command: unknown = new this(argv, new BareConfig({ root: options?.root ?? '' }));
    if (!(command instanceof BaseCommand)) throw new TypeError('Only commands of this program are run.');
    return command.start<ReturnType<T['run']>>();
  }

  private start<R>(): Promise<R> {
    return this._run<R>();
  }

  /** The types of switches say boolean: one that is not given is false, also in the body of a request. */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv);
    const absent = Object.entries({ ...options?.flags, ...options?.baseFlags })
      .filter(([name, flag]) => flag.type === 'boolean' && parsed.flags[name] === undefined)
      .map(([name]) => [name, false] as const);
    return { ...parsed, flags: { ...parsed.flags, ...Object.fromEntries(absent) } };
  }

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
