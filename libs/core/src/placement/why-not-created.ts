const ERRORS_SHOWN = 3;

/** What people are told when a machine was tried at every place there is; null: it was tried nowhere. */
export function whyNotCreated(attempts: readonly (string | null)[]): string | null {
  if (attempts.length === 0) return null;
  const messages = [...new Set(attempts.filter((message) => message !== null))];
  return `all ${attempts.length} offers tried failed: ${messages.slice(0, ERRORS_SHOWN).join('; ')}`;
}
