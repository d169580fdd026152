import { type Configuration, ConfigurationError, type ParsedText, semanticIssue } from '@dstack/core';
import { type ApiErrorDetails, isApiError } from '@dstack/sdk';

/** Tells what turns out to be wrong with a configuration after it was read by the lines of its file, whoever found it. */
export async function withLines<T>(parsed: ParsedText<Configuration>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (ConfigurationError.is(error) && error.issues.every((issue) => issue.file === undefined))
      throw parsed.errorOf(error.issues);
    const found = isApiError(error) ? issuesIn(error.details) : [];
    if (found.length > 0) throw parsed.errorOf(found);
    throw error;
  }
}

/** Of a server's refusal that is all about the configuration. */
function issuesIn({ issues }: ApiErrorDetails) {
  const inside = issues.flatMap(({ path, message }) => {
    const at = path.indexOf('configuration');
    return at < 0 ? [] : [semanticIssue(path.slice(at + 1), message)];
  });
  return inside.length === issues.length ? inside : [];
}
