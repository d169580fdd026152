import { readFileSync } from 'node:fs';
import type { Command } from '@oclif/core/command';
import { checkFlagsFor } from '../src/apply/check-flags.js';
import { COMMANDS, findCommand, NOT_BUILT } from '../src/base/command-table.js';
import { commandHelp, groupHelp } from '../src/base/help.js';

interface Argument {
  readonly name: string;
  readonly long?: string;
  readonly short?: string;
}
interface ContractCommand {
  readonly name: string;
  readonly arguments?: readonly Argument[];
  readonly subcommands?: readonly ContractCommand[];
}

/** The commands and flags of dstack 0.21.2. */
const contract = JSON.parse(
  readFileSync(new URL('../../../tools/contract/data/cli.json', import.meta.url), 'utf8'),
) as ContractCommand & { apply_options_by_type: Record<string, { readonly arguments: readonly Argument[] }> };

const leaves = (command: ContractCommand, path: readonly string[] = []): [string, readonly Argument[]][] => {
  const words = [...path, command.name];
  const inside = (command.subcommands ?? []).flatMap((each) => leaves(each, words));
  return [[words.join(' '), command.arguments ?? []], ...inside];
};
const promised = (contract.subcommands ?? []).flatMap((each) => leaves(each));
const built = promised.filter(([id]) => !Object.hasOwn(NOT_BUILT, id.split(' ')[0] ?? ''));

async function load(id: string): Promise<Command.Class | undefined> {
  const module = await COMMANDS[id]?.load();
  return module?.default as Command.Class | undefined;
}

it('knows every command of 0.21, or says that it is not built', () => {
  const unknown = built
    .map(([id]) => id)
    .filter((id) => findCommand(id.split(' '))?.id !== id && groupHelp(id) === undefined);
  expect(unknown).toEqual([]);
  expect(promised.length - built.length).toBeGreaterThan(0);
});

it.each(built)('dstack %s takes the options of 0.21', async (id, args) => {
  const command = await load(id);
  if (command === undefined) return expect(groupHelp(id)).toContain(`dstack ${id}`);
  const flags = { ...command.flags, ...command.baseFlags };
  const missing = args
    .filter(({ long }) => long !== undefined)
    .filter(({ long = '', short }) => {
      const flag = flags[long.replace('--', '')];
      return flag === undefined || (short !== undefined && `-${flag.char ?? ''}` !== short);
    });
  expect(missing).toEqual([]);
});

it.each(built)('dstack %s takes the words of 0.21', async (id, args) => {
  const command = await load(id);
  if (command === undefined) return; // a group
  const words = args.filter(({ long, short }) => long === undefined && short === undefined);
  expect(Object.keys(command.args ?? {}).length).toBeGreaterThanOrEqual(words.length);
});

it.each(promised.filter((each) => !built.includes(each)))('dstack %s says what to do instead', (id) => {
  expect(NOT_BUILT[id.split(' ')[0] ?? '']).toMatch(/\w+ .*dstack \w+/);
});

it.each(Object.entries(contract.apply_options_by_type).filter(([type]) => type !== 'preset'))(
  'dstack apply takes the options of 0.21 for a %s',
  (type, { arguments: args }) => {
    const allowed = checkFlagsFor(type);
    const names = args.flatMap(({ long }) => (long === undefined ? [] : [long.replace('--', '')]));
    expect(names.filter((name) => !allowed.has(name))).toEqual([]);
  },
);

it.each(Object.keys(COMMANDS))('dstack %s --help shows usage and options', async (id) => {
  const command = await load(id);
  expect(command && commandHelp(id, command)).toMatch(/^\S[^]*\nUSAGE\n[^]*\nOPTIONS\n/);
});
