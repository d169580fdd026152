import { Inject, Injectable } from '@nestjs/common';
import { type Compute, statusText } from '@dstack/backend-base';
import {
  displayBackend,
  type InternalBackendType,
  isUsable,
  matchOffer,
  mergeOffers,
  mergeRejections,
  type Offer,
  type OfferFilters,
  type OfferList,
  type RejectionReason,
  type RejectionSummary,
  summariseRejections,
  type Wire,
} from '@dstack/core';
import { WORLD, type World } from '../world/world.js';
import { type ComputeAccount, ComputeAccounts } from './compute-accounts.js';

/** A backend that has not answered by then is shown as late, the others count. */
const OFFERS_DEADLINE_MS = 10_000;

class LateOffersError extends Error {
  override readonly name = 'LateOffersError';
  constructor() {
    super(`no offers within ${OFFERS_DEADLINE_MS / 1000} seconds`);
  }
}

export interface FoundOffers {
  /** By price; those that cannot be used now are in it, with their reason. */
  readonly offers: readonly Offer[];
  readonly rejections: readonly RejectionSummary[];
  /** Of each backend that has nothing usable: why, for people. */
  readonly notes: readonly string[];
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
  async find(projectId: string, ask: OfferAsk): Promise<FoundOffers> {
    const accounts = await this.accounts.ofProject(projectId);
    const late = new AbortController();
    const timer = this.world.scheduler.after(OFFERS_DEADLINE_MS, () => late.abort(new LateOffersError()));
    const answers = await Promise.all(accounts.map((account) => this.ask(account, ask, late.signal)));
    timer.cancel();
    const judged = answers.map((answer) => judge(answer, ask));
    return {
      offers: mergeOffers(judged.map(({ offers, order }) => ({ offers, order }))),
      rejections: mergeRejections(judged.flatMap(({ rejections }) => rejections)),
      notes: accounts.length === 0 ? [NO_BACKEND] : judged.flatMap(({ note }) => (note === null ? [] : [note])),
    };
  }

  private async ask(
    account: ComputeAccount,
    { requirements, fullOffers = false, unallocated = true }: OfferAsk,
    signal: AbortSignal,
  ): Promise<Answer> {
    const deadline = this.world.clock.now() + OFFERS_DEADLINE_MS;
    try {
      const offers = await account.compute.offers({ requirements, fullOffers, unallocated }, { signal, deadline });
      return { backend: account.type, order: orderOf(account), offers, failure: null };
    } catch (error) {
      return { backend: account.type, order: orderOf(account), offers: [], failure: statusText(error) };
    }
  }
}

const NO_BACKEND = 'no backend is configured that could create a machine';
const REASONS_SHOWN = 2;

interface Answer extends Pick<OfferList, 'order'> {
  readonly backend: InternalBackendType;
  readonly offers: readonly Offer[];
  readonly failure: string | null;
}

function orderOf({ definition }: ComputeAccount): OfferList['order'] {
  return definition.ordersOffers === true ? 'own' : 'price';
}

interface Judged extends Pick<OfferList, 'order'> {
  readonly offers: readonly Offer[];
  readonly rejections: readonly RejectionSummary[];
  readonly note: string | null;
}

function judge({ backend, order, offers, failure }: Answer, { requirements, filters }: OfferAsk): Judged {
  const rejected: RejectionReason[][] = [];
  const fitting = offers.flatMap((offer) => {
    const match = matchOffer(offer, requirements, filters);
    if (match.ok) return [match.offer];
    rejected.push(match.reasons);
    return [];
  });
  const rejections = summariseRejections(rejected);
  const name = displayBackend(backend);
  if (failure !== null) return { order, offers: fitting, rejections, note: `${name}: ${failure}` };
  if (fitting.some(isUsable)) return { order, offers: fitting, rejections, note: null };
  const reasons = fitting.length > 0 ? whyUnusable(fitting) : rejections.slice(0, REASONS_SHOWN).map(rejectionText);
  return {
    order,
    offers: fitting,
    rejections,
    note: `${name}: no offers${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`,
  };
}

function whyUnusable(offers: readonly Offer[]): string[] {
  const reasons = offers.map((offer) => offer.availability_reason ?? offer.availability.replaceAll('_', ' '));
  return [...new Set(reasons)].slice(0, REASONS_SHOWN);
}

function rejectionText({ count, example }: RejectionSummary): string {
  return count > 1 ? `${example} (and ${count - 1} more)` : example;
}
