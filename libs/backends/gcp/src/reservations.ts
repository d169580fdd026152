import { type Call, isBackendError, Kept } from '@dstack/backend-base';
import type { BackendEnvironment } from '@dstack/backend-base';
import type { Gce } from './client.js';
import { parseReservation, reservationFilter, type Reserved, reservedByZone } from './reservation.js';

/** How much of it is in use changes with every machine. */
const KEPT_MS = 20_000;

/** Looks reservations up. */
export class Reservations {
  private readonly kept: Kept<Reserved | null>;

  constructor(
    private readonly gce: Gce,
    private readonly environment: Pick<BackendEnvironment, 'now' | 'log'>,
  ) {
    this.kept = new Kept(KEPT_MS, environment.now);
  }

  /** Null: it is another cloud's, there is none, or the account may not see it. */
  find(text: string, call: Call): Promise<Reserved | null> {
    return this.kept.get(text, call, () => this.ask(text, call));
  }

  private async ask(text: string, call: Call): Promise<Reserved | null> {
    const wanted = parseReservation(text);
    if (wanted === null) return null;
    const project = wanted.project ?? this.gce.project;
    try {
      const byZone = reservedByZone(await this.gce.reservations(project, reservationFilter(wanted), call));
      if (byZone.size === 0) return null;
      return { path: `projects/${project}/reservations/${wanted.name}`, byZone };
    } catch (error) {
      const isHidden = isBackendError(error) && /^(not-found|credentials)$/.test(error.failure.kind);
      if (!isHidden) throw error;
      this.environment.log('warn', `Reservation ${text} of Google Cloud cannot be read: ${error.message}`);
      return null;
    }
  }
}
