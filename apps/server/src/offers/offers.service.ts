import { Inject, Injectable } from '@nestjs/common';
import { type Compute, statusText } from '@dstack/backend-base';
import {
  matchOffer,
  mergeOffers,
  type Offer,
  type OfferFilters,
  type RejectionReason,
  type RejectionSummary,
  summariseRejections,
  type Wire,
} from '@dstack/core';
import { WORLD, type World } from '../world/world.js';
import { type ComputeAccount, ComputeAccounts } from './compute-accounts.js';

/** A backend that has not answered by then is shown as late, the others count. */
const OFFERS_DEADLINE_MS = 10_000;

export interface FoundOffers {
  /** By price; those that cannot be used now are in it, with their reason. */
  readonly offers: readonly Offer[];
  readonly rejections: readonly RejectionSummary[];
  /** Backends that gave no answer, and why. */
  readonly failures: readonly string[];
}

export interface OfferAsk {
  readonly requirements: Wire.Requirements;
  readonly filters: OfferFilters;
  readonly fullOffers?: boolean;
  readonly unallocated?: boolean;
}

@Injectable()
export class OffersService {
  constructor(
    private readonly accounts: ComputeAccounts,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** How a backend's machines run jobs, where that is known before there is one. */
  async runtimes(projectId: string, backend: Offer['backend']): Promise<Compute['runtimes']> {
    const accounts = await this.accounts.ofProject(projectId);
    return accounts.find((account) => account.type === backend)?.compute.runtimes;
  }

  /** All backends in parallel, each within the deadline. */
  async find(projectId: string, ask: OfferAsk, signal = AbortSignal.timeout(OFFERS_DEADLINE_MS)): Promise<FoundOffers> {
    const accounts = await this.accounts.ofProject(projectId);
    const answers = await Promise.all(accounts.map((account) => this.ask(account, ask, signal)));
    const rejected: RejectionReason[][] = [];
    const lists = answers.map(({ offers }) => ({
      order: 'price' as const,
      offers: offers.flatMap((offer) => {
        const match = matchOffer(offer, ask.requirements, ask.filters);
        if (match.ok) return [match.offer];
        rejected.push(match.reasons);
        return [];
      }),
    }));
    return {
      offers: mergeOffers(lists),
      rejections: summariseRejections(rejected),
      failures: answers.flatMap(({ failure }) => (failure === null ? [] : [failure])),
    };
  }

  private async ask(
    account: ComputeAccount,
    { requirements, fullOffers = false, unallocated = true }: OfferAsk,
    signal: AbortSignal,
  ): Promise<{ offers: readonly Offer[]; failure: string | null }> {
    const deadline = this.world.clock.now() + OFFERS_DEADLINE_MS;
    try {
      const offers = await account.compute.offers({ requirements, fullOffers, unallocated }, { signal, deadline });
      return { offers, failure: null };
    } catch (error) {
      return { offers: [], failure: `${account.type}: ${statusText(error)}` };
    }
  }
}

/** Why nothing can be created, for people. */
export function whyNoOffers(found: FoundOffers): string {
  const unusable = found.offers.flatMap((offer) =>
    offer.availability_reason === undefined ? [] : [offer.availability_reason],
  );
  const parts = [
    ...new Set(unusable),
    ...found.rejections.map(({ count, example }) => (count > 1 ? `${example} (and ${count - 1} more)` : example)),
    ...found.failures,
  ];
  return parts.length === 0 ? 'no offers' : `no offers: ${parts.slice(0, 3).join('; ')}`;
}
