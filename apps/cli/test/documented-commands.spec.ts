import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = ['README.md', 'docs/*.md', 'docs/concepts/*.md', 'docs/guides/*.md', 'docs/backends/*.md'];

/** Options of each command, as the page that is made of the code tells them. */
const commands = new Map(
  readFileSync(`${root}docs/reference/cli.md`, 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [name = ''] = section.split('\n');
      const options = [...section.matchAll(/^ +(?:(-\w), )?(--[\w-]+)/gm)].flatMap(([, short, long]) => [short, long]);
      return [name.trim(), new Set(options)] as const;
    }),
);

const written = globSync(PAGES, { cwd: root }).flatMap((page) =>
  [...readFileSync(`${root}${page}`, 'utf8').matchAll(/(?:`|^\$ )(dstack [a-z][^`\n]*)/gm)].map(([, line = '']) => ({
    page,
    line,
  })),
);

/** The longest name of a command that the words begin with. */
function commandOf(words: readonly string[]): string | undefined {
  return [4, 3, 2].map((count) => words.slice(0, count).join(' ')).find((name) => commands.has(name));
}

/** What a shell would take for options of `dstack`; what comes after `|`, `#`, `--` or another command is somebody else's. */
function optionsOf(line: string): string[] {
  const [own = ''] = line.split(/ (?:\||#|&&|--) |\$\(/);
  return [...own.matchAll(/(?<= )(--[\w-]+|-\w)(?=[ =]|$)/g)].map(([option]) => option);
}

it('knows the pages and what they show', () => {
  expect(commands.size).toBeGreaterThan(40);
  expect(written.length).toBeGreaterThan(50);
});

it.each(written.map(({ page, line }) => [line, page] as const))('`%s` of %s is a command with such options', (line) => {
  const command = commandOf(line.split(/\s+/));
  const known = commands.get(command ?? '') ?? new Set();
  expect(command).toBeDefined();
  expect(optionsOf(line).filter((option) => !known.has(option))).toEqual([]);
});
