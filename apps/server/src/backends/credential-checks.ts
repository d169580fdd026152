import { type ConfigIssue, isBackendError } from '@dstack/backend-base';
import type { CredentialCheck } from '../offers/compute-accounts.js';

const CHECK_LIMIT_MS = 8_000;
/** What was no yes is asked again after so long. */
const ASKED_AGAIN_MS = 60_000;

/** Whether one account's cloud takes its credentials; asked once, and again for as long as it does not. */
export class CredentialChecks {
  private last: { readonly at: number; readonly result: Promise<CredentialCheck> } | null = null;

  constructor(
    private readonly validate: (signal: AbortSignal) => Promise<readonly ConfigIssue[]>,
    private readonly now: () => number,
  ) {}

  async current(): Promise<CredentialCheck> {
    const known = this.last;
    if (known !== null) {
      const check = await known.result;
      if (check.state === 'verified' || this.now() - known.at < ASKED_AGAIN_MS) return check;
    }
    // Whoever came here meanwhile has asked.
    if (this.last === known) this.last = { at: this.now(), result: this.ask() };
    return this.last?.result ?? this.ask();
  }

  private async ask(): Promise<CredentialCheck> {
    try {
      const issues = await this.validate(AbortSignal.timeout(CHECK_LIMIT_MS));
      if (issues.length === 0) return { state: 'verified' };
      return {
        state: 'refused',
        reason: issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
      };
    } catch (error) {
      if (hasTimedOut(error))
        return { state: 'unverified', reason: `no answer within ${CHECK_LIMIT_MS / 1000} seconds` };
      if (!isBackendError(error)) return { state: 'unverified', reason: 'the check of the credentials failed' };
      return { state: error.failure.kind === 'credentials' ? 'refused' : 'unverified', reason: error.message };
    }
  }
}

function hasTimedOut(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError';
}
