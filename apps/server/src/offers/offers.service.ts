import { Inject, Injectable, Optional } from '@nestjs/common';
import { type Compute, statusText } from '@dstack/backend-base';
import {
  type Answer,
  bestOffers,
  type FittingOffers,
  type InternalBackendType,
  judgeAnswer,
  mergeRejections,
  type Offer,
  type OfferFilters,
  type RejectionSummary,
  type Wire,
} from '@dstack/core';
import { AgentBundles } from '../hosts/agent-bundles.js';
import type { HostArch } from '../hosts/program-bundles.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import { askForOffers } from './ask-backend.js';
import { type ComputeAccount, ComputeAccounts } from './compute-accounts.js';

/** A backend that has not answered by then is shown as late, the others count. */
const OFFERS_DEADLINE_MS = 10_000;
/** A backend that has no answer of its cloud by then still has time to offer what its catalog says. */
const ASKED_MS = 6_000;

class LateOffersError extends Error {
  override readonly name = 'LateOffersError';
  constructor() {
    super(`no offers within ${OFFERS_DEADLINE_MS / 1000} seconds`);
  }
}

export interface FoundOffers {
  /** Of each backend that answered; those that cannot be used now are in it, with their reason. */
  readonly fitting: readonly FittingOffers[];
  readonly rejections: readonly RejectionSummary[];
  /** Of each backend that has nothing usable: why, for people. */
  readonly notes: readonly string[];
  /** Of each backend that did not answer, cannot be used, or could not be checked: why, for people. */
  readonly warnings: readonly string[];
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
    /** Absent: in a simulated world, where hosts bring theirs. */
    @Optional() @Inject(AgentBundles) private readonly agents?: Pick<AgentBundles, 'archs'>,
    @Optional() @Inject(SETTINGS) private readonly settings?: Pick<ServerSettings, 'agentImage'>,
  ) {}

  /** How a backend's machines run jobs, where that is known before there is one. */
  async runtimes(projectId: string, backend: Offer['backend']): Promise<Compute['runtimes']> {
    const accounts = await this.accounts.ofProject(projectId);
    return accounts.find((account) => account.type === backend)?.compute.runtimes;
  }

  /** All backends in parallel, each within the deadline. */
  async find(projectId: string, ask: OfferAsk): Promise<FoundOffers> {
    const [accounts, absent] = await Promise.all([
      this.accounts.ofProject(projectId),
      this.accounts.unusable(projectId),
    ]);
    const late = new AbortController();
    const timer = this.world.scheduler.after(OFFERS_DEADLINE_MS, () => late.abort(new LateOffersError()));
    const answers = await Promise.all(accounts.map((account) => this.ask(account, ask, late.signal)));
    timer.cancel();
    const judged = answers.map((answer) =>
      judgeAnswer(answer, ask.requirements, { ...ask.filters, agentArchs: this.agentArchs(answer.backend) }),
    );
    const missing = absent.map(({ type, reason }) => `${type}: ${reason}`);
    const fitting = judged.flatMap((each) => (each.fitting === null ? [] : [each.fitting]));
    return {
      fitting,
      rejections: mergeRejections(fitting.flatMap(({ rejections }) => rejections)),
      notes:
        accounts.length + absent.length === 0
          ? [NO_BACKEND]
          : [...judged.flatMap(({ note }) => (note === null ? [] : [note])), ...missing],
      warnings: [...judged.flatMap(({ warning }) => (warning === null ? [] : [warning])), ...missing],
    };
  }

  /** Those that a machine is made of: the best of all backends. */
  async best(projectId: string, ask: OfferAsk): Promise<{ offers: readonly Offer[]; notes: readonly string[] }> {
    const { fitting, notes } = await this.find(projectId, ask);
    return { offers: bestOffers(fitting, OFFERS_CONSIDERED), notes };
  }

  /** This machine needs none to be put on it; pods get it from an image, where there is one. */
  private agentArchs(backend: InternalBackendType): readonly HostArch[] | null {
    const isBrought = backend === 'local' || (backend === 'kubernetes' && this.settings?.agentImage !== undefined);
    const archs = isBrought ? [] : (this.agents?.archs() ?? []);
    return archs.length === 0 ? null : archs;
  }

  private async ask(
    account: ComputeAccount,
    { requirements, fullOffers = false, unallocated = true }: OfferAsk,
    signal: AbortSignal,
  ): Promise<Answer> {
    const deadline = this.world.clock.now() + ASKED_MS;
    const backend = account.type;
    try {
      const query = { requirements, fullOffers, unallocated };
      const [table, check] = await Promise.all([
        askForOffers(account, query, { signal, deadline }),
        account.check?.() ?? null,
      ]);
      if (check?.state === 'refused') return { backend, table: null, remark: check.reason };
      const remarks = [
        check?.state === 'unverified' ? `unverified: ${check.reason}` : null,
        account.priceRemark?.() ?? null,
      ].filter((remark) => remark !== null);
      return { backend, table, remark: remarks.length === 0 ? null : remarks.join('; ') };
    } catch (error) {
      return { backend, table: null, remark: statusText(error) };
    }
  }
}

const NO_BACKEND = 'no backend is configured that could create a machine';
/** A machine is tried at a few dozen places at most, and several may be blocked: nobody comes to the end of so many. */
const OFFERS_CONSIDERED = 1_000;
