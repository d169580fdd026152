import { parseArgs } from 'node:util';
import { readSettings, SettingsError } from '../settings/read-settings.js';
import { realWorld } from '../world/real-world.js';
import type { OperationContext } from './operation.js';

interface Operation {
  readonly usage: string;
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
  /** How many words may follow its name. */
  readonly words?: number;
  run(context: OperationContext, given: Given): Promise<void>;
}

/** What stands on the command line. */
class Given {
  constructor(
    private readonly usage: string,
    private readonly values: Readonly<Record<string, string | boolean | undefined>>,
    readonly words: readonly string[],
    /** About the environment. */
    readonly warnings: readonly string[],
  ) {}

  has(name: string): boolean {
    return this.values[name] === true;
  }

  optional(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws {SettingsError} when it is not there */
  text(name: string): string {
    const value = this.values[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new SettingsError(`--${name} is missing.\n\nUsage: dstack server ${this.usage}`);
  }
}

/** Each is loaded when it is asked for. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  backup: {
    usage: 'backup --to FOLDER [--with-keys]',
    options: { to: { type: 'string' }, 'with-keys': { type: 'boolean' } },
    run: async (context, given) => {
      const { backup } = await import('./backup/backup.js');
      await backup(context, { to: given.text('to'), withKeys: given.has('with-keys') });
    },
  },
  restore: {
    usage: 'restore --from FOLDER [--overwrite]',
    options: { from: { type: 'string' }, overwrite: { type: 'boolean' } },
    run: async (context, given) => {
      const { restore } = await import('./backup/restore.js');
      await restore(context, { from: given.text('from'), overwrite: given.has('overwrite') });
    },
  },
  migrate: {
    usage: 'migrate --to postgresql://… [--copy]',
    options: { to: { type: 'string' }, copy: { type: 'boolean' } },
    run: async (context, given) => {
      const { move } = await import('./move/move.js');
      await move(context, { to: given.text('to'), isTestCopy: given.has('copy') });
    },
  },
  check: {
    usage: 'check',
    options: {},
    run: async (context, { warnings }) => {
      const { check } = await import('./check/check.js');
      await check(context, warnings);
    },
  },
  import: {
    usage: 'import --from DATABASE [--config FILE] [--dry-run] [--merge]',
    options: {
      from: { type: 'string' },
      config: { type: 'string' },
      'dry-run': { type: 'boolean' },
      merge: { type: 'boolean' },
    },
    run: async (context, given) => {
      const { importPython } = await import('./import/import.js');
      const config = given.optional('config');
      const [isDryRun, merges] = [given.has('dry-run'), given.has('merge')];
      await importPython(context, { from: given.text('from'), config, merges, isDryRun });
    },
  },
  keys: {
    usage: 'keys [list | add NAME | rotate NAME | re-encrypt | retire NAME]',
    options: {},
    words: 2,
    run: async (context, { words: [action = 'list', name] }) => {
      const { keys } = await import('./keys/keys.js');
      await keys(context, action, name);
    },
  },
  'support-bundle': {
    usage: 'support-bundle --to FILE',
    options: { to: { type: 'string' } },
    run: async (context, given) => {
      const { supportBundle } = await import('./support/support-bundle.js');
      await supportBundle(context, given.warnings, given.text('to'));
    },
  },
};

export function isOperation(word: string | undefined): word is string {
  return word !== undefined && Object.hasOwn(OPERATIONS, word);
}

/** One after the other, for the usage of the server. */
export function operationUsages(): readonly string[] {
  return Object.values(OPERATIONS).map(({ usage }) => usage);
}

/**
 * Does one thing with a server's data or settings, and ends. The settings are those that the server itself would start with.
 * @throws {SettingsError} when the command line is wrong
 */
export async function runOperation([name = '', ...args]: readonly string[]): Promise<void> {
  const operation = OPERATIONS[name];
  if (operation === undefined) throw new SettingsError(`There is no dstack server ${name}.`);
  const { values, positionals } = parsed(operation, args);
  const { settings, warnings } = readSettings(process.env);
  const given = new Given(operation.usage, values, positionals, warnings);
  const print = (line: string): boolean => process.stdout.write(`${line}\n`);
  await operation.run({ settings, world: realWorld(), print }, given);
}

function parsed(
  { usage, options, words = 0 }: Operation,
  args: readonly string[],
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  try {
    const given = parseArgs({ args: [...args], options: { ...options }, allowPositionals: words > 0 });
    const extra = given.positionals[words];
    if (extra !== undefined) throw new Error(`${extra} is one word too many.`);
    return given;
  } catch (error) {
    throw new SettingsError(
      `${error instanceof Error ? error.message : String(error)}\n\nUsage: dstack server ${usage}`,
    );
  }
}
