import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { shellScript } from './shell-script.js';
import { isCompleteShell } from './shell-syntax.js';

const shells = ['/bin/sh', '/bin/bash', '/bin/dash', '/bin/busybox'].filter((shell) => existsSync(shell));

function run(shell: string, commands: readonly string[]): { status: number | null; out: string } {
  const argv = shell.endsWith('busybox') ? ['sh', '-c', shellScript(commands)] : ['-c', shellScript(commands)];
  const { status, stdout } = spawnSync(shell, argv, { encoding: 'utf8' });
  return { status, out: stdout };
}

describe.each(shells)('in %s', (shell) => {
  it.each([
    ['runs the commands in order', ['echo a', 'echo b'], 0, 'a\nb\n'],
    ['ends with the status of the command that fails', ['echo a', '(exit 7)', 'echo b'], 7, 'a\n'],
    ['shares one shell', ['cd /', 'x=1', 'echo "$PWD $x"'], 0, '/ 1\n'],
    ['keeps a comment from swallowing what follows', ['echo a # and then', 'echo b'], 0, 'a\nb\n'],
    ['keeps a comment from hiding a failure', ['false # fine?', 'echo b'], 1, ''],
    ['keeps a heredoc whole', ['cat <<EOF\nx # y\nEOF', 'echo b'], 0, 'x # y\nb\n'],
    ['joins a heredoc written over several commands', ['cat <<EOF', 'x', 'EOF', 'echo b'], 0, 'x\nb\n'],
    ['joins on a trailing &&', ['false &&', 'echo a', 'echo b'], 1, ''],
    ['joins on a trailing ||', ['false ||', 'echo a', 'echo b'], 0, 'a\nb\n'],
    ['joins on a trailing backslash', ['echo a \\', 'b'], 0, 'a b\n'],
    ['joins an open quote', ["echo 'a", "b'", 'echo c'], 0, 'a\nb\nc\n'],
    ['joins a loop', ['for i in 1 2; do', 'echo $i', 'done', 'echo end'], 0, '1\n2\nend\n'],
    ['joins a condition', ['if false; then', 'echo a', 'else', 'echo b', 'fi'], 0, 'b\n'],
    ['goes on after starting a background job', ['(exit 3) &', 'wait', 'echo b'], 0, 'b\n'],
    ['only asks a multi-line block for its last status', ['false\necho a', 'echo b'], 0, 'a\nb\n'],
    ['takes a comparison or a here-string for what it is', ['test 1 -lt 2', 'echo $((1 << 2))'], 0, '4\n'],
    ['ignores empty commands', ['', '  ', 'echo a'], 0, 'a\n'],
    ['ends with the last status', ['echo a', '(exit 4)'], 4, 'a\n'],
  ])('%s', (_behaviour, commands, status, out) => {
    expect(run(shell, commands)).toEqual({ status, out });
  });
});

it('leaves an unfinished command to the shell', () => {
  expect(run('/bin/sh', ['echo a', "echo 'b"]).status).not.toBe(0);
  expect(run('/bin/sh', ['echo a', 'false &&']).status).not.toBe(0);
});

it.each([
  ['echo "a\\"b"', true],
  ['echo "a', false],
  ["echo it\\'s", true],
  ['echo a#b', true],
  ["# don't", true],
  ['cat <<-EOF\n\tx\n\tEOF', true],
  ['cat <<"A" <<B\n1\nA\n2', false],
  ['cat <<< word', true],
  ['a |', false],
  ['a && # later', false],
  ['echo do', true],
  ['f() {', false],
])('%j is whole: %s', (text, whole) => expect(isCompleteShell(text)).toBe(whole));
