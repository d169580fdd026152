import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastWords } from './last-words.js';

describe('the last words of a process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-words-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each<[string, string, string | undefined]>([
    ['a refusal', 'started\nthe control group /x cannot be entered\n', 'the control group /x cannot be entered'],
    [
      'an exception',
      'x.js:1\nError: no room\n    at f (x.js:1:2)\n    at g {\n}\n\nNode.js v24.1.0\n',
      'Error: no room',
    ],
    ['colours', '\u001b[31mred\u001b[0m\n', '[31mred [0m'],
    ['a long line', 'y'.repeat(5000), 'y'.repeat(200)],
    ['nothing', '\n\n', undefined],
  ])('%s', async (_what, text, expected) => {
    const file = join(dir, 'agent.log');
    writeFileSync(file, text);
    expect(await lastWords(file)).toBe(expected);
  });

  it('none where there is no log', async () => {
    expect(await lastWords(join(dir, 'none'))).toBeUndefined();
  });
});
