import { PassThrough } from 'node:stream';
import { Dstack } from '@dstack/sdk';
import { askHowToLeave } from '../src/apply/ask-how-to-leave.js';
import { processContext } from '../src/terminal/context.js';
import { ask, confirm } from '../src/terminal/prompt.js';

/** A terminal's two ends: what is typed, what is shown. */
class Terminal extends PassThrough {
  readonly isTTY = true;
  readonly columns = 80;
  setRawMode(): this {
    return this;
  }
}

const keyboard = new Terminal();
const screen = new Terminal();
let shown = '';
screen.on('data', (chunk: Buffer) => (shown += chunk.toString()));
const real = { stdin: process.stdin, stderr: process.stderr };
const use = (stdin: unknown, stderr: unknown) => {
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  Object.defineProperty(process, 'stderr', { value: stderr, configurable: true });
};
beforeEach(() => {
  shown = '';
  use(keyboard, screen);
});
afterEach(() => use(real.stdin, real.stderr));

const answer = async (question: string, typed: string): Promise<boolean> => {
  const asked = confirm({ ...processContext(), canAsk: true }, question);
  keyboard.write(typed);
  return asked;
};

it('shows what is typed once, also at the second question', async () => {
  expect(await answer('Submit?', 'y\r')).toBe(true);
  shown = '';
  expect(await answer('Stop?', 'n\r')).toBe(false);
  expect(shown).toMatch(/Stop\? \[y\/n\]: [^n]*n\r?\n$/);
});

it('ends with 130 on Ctrl-C', async () => {
  await expect(answer('Submit?', '\u0003')).rejects.toMatchObject({ exitCode: 130 });
});

it('lets go of a run at a second Ctrl-C, and says that it goes on', async () => {
  const nobodyCalled = new Dstack({ url: 'http://127.0.0.1:9', token: 't', project: 'main' });
  const asked = askHowToLeave(nobodyCalled, { ...processContext(), canAsk: true }, 'train');
  keyboard.write('\u0003');
  await asked;
  expect(shown).toContain('The run train goes on.');
});

it('says what it would have asked, where nobody can answer', async () => {
  const context = { ...processContext(), canAsk: false };
  await expect(ask(context, 'URL of the server? ', 'Pass --url URL.')).rejects.toMatchObject({
    message: 'URL of the server? Nobody can answer: this is no terminal.',
    hint: 'Pass --url URL.',
  });
  await expect(confirm(context, 'Stop the run?')).rejects.toThrow('Stop the run? Nobody can answer');
});
