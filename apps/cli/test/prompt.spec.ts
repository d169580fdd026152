import { PassThrough } from 'node:stream';
import { processContext } from '../src/terminal/context.js';
import { confirm } from '../src/terminal/prompt.js';

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
