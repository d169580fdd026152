import { createInterface } from 'node:readline/promises';
import { CliError, EXIT_INTERRUPTED, UsageError } from '../errors/cli-error.js';
import type { CliContext } from './context.js';

/** Ctrl-C, or the end of the input, in the place of an answer. */
export class CancelledError extends CliError {
  override readonly name = 'CancelledError';
  constructor(cause: unknown) {
    super('Cancelled by user.', { exitCode: EXIT_INTERRUPTED, cause });
  }
}

/**
 * Asks yes or no on the terminal.
 * @throws {UsageError} when nobody can be asked: a script must say what it wants
 */
export async function confirm(context: CliContext, question: string, hint = 'Pass -y to go on without asking.') {
  const answer = await ask(context, `${question} [y/n]: `, hint, (text) => /^(y|yes|n|no)$/i.test(text));
  return /^y/i.test(answer);
}

export async function ask(
  context: CliContext,
  question: string,
  hint: string,
  accepts: (answer: string) => boolean = (text) => text !== '',
): Promise<string> {
  if (!context.canAsk)
    throw new UsageError(`${question.replace(/(?: \[y\/n\]:)? $/, '')} Nobody can answer: this is no terminal.`, hint);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  lines.once('SIGINT', stop);
  lines.once('close', stop);
  try {
    for (;;) {
      const answer = (await lines.question(question, { signal: stopped.signal })).trim();
      if (accepts(answer)) return answer;
    }
  } catch (cause) {
    throw new CancelledError(cause);
  } finally {
    lines.off('close', stop); // readline's own listeners stay: they give the terminal back
    lines.close();
  }
}
