import type { InstanceTerminationReason } from '../wire/enums.js';

export interface WantedFacts {
  readonly fleetIsGoing: boolean;
  /** As somebody has said of the machine itself. */
  readonly unwanted: InstanceTerminationReason | null;
}

/** Why a machine that exists must go as soon as nobody uses it; null: it need not. */
export function whyUnwanted({ fleetIsGoing, unwanted }: WantedFacts): InstanceTerminationReason | null {
  return fleetIsGoing ? 'terminated_by_user' : unwanted;
}

/** Why a machine need not be made any more: its fleet is going, or the job it was to be for has ended. A job that has it keeps it. */
export function whyUnwantedBeforeLaunch(
  facts: WantedFacts & { readonly isMadeForJob: boolean; readonly hasJobs: boolean },
): InstanceTerminationReason | null {
  if (facts.fleetIsGoing) return 'terminated_by_user';
  if (facts.hasJobs) return null;
  return facts.isMadeForJob ? 'job_finished' : facts.unwanted;
}
