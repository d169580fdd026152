import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parse } from '@oclif/core/parser';
import { parseProblem } from './parse-problem.js';

const input = {
  args: { run_name: Args.string({ description: 'The run', required: true }) },
  flags: {
    file: Flags.string({ char: 'f' }),
    force: Flags.boolean(),
    last: Flags.integer({ min: 1, max: 99 }),
    spot: Flags.boolean({ exclusive: ['on-demand'] }),
    'on-demand': Flags.boolean({ exclusive: ['spot'] }),
    policy: Flags.string({ options: ['spot', 'auto'] }),
  },
};

async function problemOf(argv: string[]) {
  try {
    await parse(argv, input);
  } catch (error) {
    if (error instanceof Error) return parseProblem(error, 'apply');
  }
  throw new Error('the command line is right');
}

it('names an option that is missing', async () => {
  const wants = { args: {}, flags: { url: Flags.string({ required: true }) } };
  await expect(parse([], wants).catch((error: Error) => parseProblem(error, 'login'))).resolves.toEqual({
    message: '--url is missing.',
    hint: 'See the options: dstack login --help',
  });
});

describe('a command line that cannot be taken', () => {
  it.each([
    ['an option that begins like one', ['--fil', 'x'], 'There is no option --fil.', 'Did you mean --file? '],
    ['a typing error', ['r', '--frce'], 'There is no option --frce.', 'Did you mean --force? '],
    ['a beginning of several', ['r', '--f'], 'There is no option --f.', ''],
    ['nothing like any', ['r', '--nonsense'], 'There is no option --nonsense.', ''],
    ['no argument', [], 'RUN_NAME is missing: the run.', ''],
    ['one too many', ['r', 'extra'], 'Unexpected argument: extra', ''],
    ['a word for a number', ['r', '--last', 'abc'], '--last: expected an integer, got abc.', ''],
    [
      'a number out of range',
      ['r', '--last', '500'],
      '--last: expected an integer less than or equal to 99, got 500.',
      '',
    ],
    [
      'two that exclude each other, once',
      ['r', '--spot', '--on-demand'],
      '--on-demand cannot also be provided when using --spot.',
      '',
    ],
    ['a word that is not among them', ['r', '--policy', 'x'], 'Expected --policy=x to be one of: spot, auto', ''],
  ])('%s', async (_case, argv, message, suggestion) => {
    expect(await problemOf(argv)).toEqual({ message, hint: `${suggestion}See the options: dstack apply --help` });
  });
});
