import { Inject, Injectable } from '@nestjs/common';
import type { PlacementAsk, PlacementCandidate, PlacementFleet, PlacementGroup } from '@dstack/core';
import { OffersService } from '../offers/offers.service.js';

/** Finds out what the backends could create for groups that existing machines cannot hold. */
@Injectable()
export class BackendsAsker {
  constructor(@Inject(OffersService) private readonly offers: OffersService) {}

  async ask(
    projectId: string,
    group: PlacementGroup,
    fleets: ReadonlyMap<string, PlacementFleet>,
  ): Promise<PlacementGroup> {
    const candidates = await Promise.all(
      group.candidates.map(async (candidate): Promise<PlacementCandidate> => {
        if (!candidate.fits) return candidate;
        const mayCreate = group.mayCreate && group.onlyInstanceIds === null;
        const isAsked = mayCreate && fleets.get(candidate.fleetId)?.canCreate === true;
        if (!isAsked) return { ...candidate, asks: candidate.asks.map(nothing) };
        const asks = candidate.asks.map((each) => this.askFor(projectId, each));
        return { ...candidate, asks: await Promise.all(asks) };
      }),
    );
    return { ...group, candidates };
  }

  private async askFor(projectId: string, ask: PlacementAsk): Promise<PlacementAsk> {
    const found = await this.offers.best(projectId, ask);
    return { ...ask, offers: found.offers, offersNotes: found.notes };
  }
}

function nothing(ask: PlacementAsk): PlacementAsk {
  return { ...ask, offers: [], offersNotes: [] };
}
