const ERRORS_SHOWN = 3;

/** What people are told when a machine was tried at every place there is; null: it was tried nowhere. */
export function whyNotCreated(attempts: readonly (string | null)[]): string | null {
  if (attempts.length === 0) return null;
  const messages = [...new Set(attempts.filter((message) => message !== null))];
  const tried = attempts.length === 1 ? 'the only offer failed' : `all ${attempts.length} offers tried failed`;
  return `${tried}: ${messages.slice(0, ERRORS_SHOWN).join('; ')}`;
}
