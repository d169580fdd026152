import type * as Wire from '../wire/generated/api.js';
import { displayBackend, type InternalBackendType } from '../wire/internal-values.js';
import type { OfferFilters } from './offer-filters.js';
import type { OfferTable } from './offer-table.js';
import { isUsable, type Offer } from './offer.js';
import { type FittingOffers, queryOffers } from './query-offers.js';
import type { RejectionSummary } from './rejection.js';

/** What one backend said when it was asked for offers. */
export interface Answer {
  readonly backend: InternalBackendType;
  readonly table: OfferTable | null;
  /** Why there is no table, or what is to be known of it: for people. */
  readonly remark: string | null;
}

export interface Judged {
  readonly fitting: FittingOffers | null;
  /** Why it has nothing usable; null when it has. */
  readonly note: string | null;
  /** What people should know of the backend though it answered, or because it did not. */
  readonly warning: string | null;
}

const REASONS_SHOWN = 2;
const EXAMPLES = 50;

export function judgeAnswer(
  { backend, table, remark }: Answer,
  requirements: Wire.Requirements,
  filters: OfferFilters,
): Judged {
  const name = displayBackend(backend);
  const warning = remark === null ? null : `${name}: ${remark}`;
  if (table === null) return { fitting: null, note: warning, warning };
  const fitting = queryOffers(table, requirements, filters);
  const examples = fitting.take(EXAMPLES);
  if (examples.some(isUsable)) return { fitting, note: null, warning };
  const reasons =
    examples.length > 0 ? whyUnusable(examples) : fitting.rejections.slice(0, REASONS_SHOWN).map(rejectionText);
  return { fitting, note: `${name}: no offers${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`, warning };
}

function whyUnusable(offers: readonly Offer[]): string[] {
  const reasons = offers.map((offer) => offer.availability_reason ?? offer.availability.replaceAll('_', ' '));
  return [...new Set(reasons)].slice(0, REASONS_SHOWN);
}

function rejectionText({ count, example }: RejectionSummary): string {
  return count > 1 ? `${example} (and ${count - 1} more)` : example;
}
