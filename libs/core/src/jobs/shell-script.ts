import { isCompleteShell } from './shell-syntax.js';

// `case` keeps `$?` intact in POSIX shells, so the job ends with the exit status of the command that failed. An interactive bash says
// «exit» on stderr when it leaves: that word is nobody's output.
const END_ON_FAILURE = 'case $? in 0) ;; *) exit $? 2>/dev/null ;; esac';

/**
 * One script of the commands: they share one shell, and the first that fails ends the job with its status. Each command stands on its
 * own lines exactly as written, so comments, heredocs, background jobs and multi-line blocks keep their meaning.
 */
export function shellScript(commands: readonly string[]): string {
  const statements = joinContinued(commands.map((command) => command.trim()).filter((command) => command !== ''));
  return statements.join(`\n${END_ON_FAILURE}\n`);
}

// A command that goes on in a later one (an open quote, a trailing `&&`) is one statement with it; if nothing ever completes it, it
// stands alone and the shell tells what is wrong with it.
function joinContinued(commands: readonly string[]): string[] {
  const statements: string[] = [];
  let index = 0;
  while (index < commands.length) {
    const count = lengthOfStatement(commands.slice(index));
    statements.push(commands.slice(index, index + count).join('\n'));
    index += count;
  }
  return statements;
}

function lengthOfStatement(commands: readonly string[]): number {
  for (let count = 1; count <= commands.length; count += 1) {
    if (isCompleteShell(commands.slice(0, count).join('\n'))) return count;
  }
  return 1;
}
